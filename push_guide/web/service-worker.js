// @ts-check
/// <reference lib="webworker" />
// Shows what Vero Deliver pushes, opens its link, and reports both. Serve it from the root of your
// site, so that it is in charge of all pages. Needs nothing but the constants below.

const sw = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const REPORTS = "/push/reports"; // where the feedback app is mounted; another origin is fine
const DEVICES = "/push/devices"; // your backend: keeps the subscription of the user who is logged in
const NAME = "Example Shop"; // the title where a push has none
const ICON = "/icon.png";

/** @typedef {{id: string, title: string, link?: string}} Action */
/** @typedef {Record<string, any>} Fields what payload.md lists, and the message's own data */
/** @typedef {NotificationOptions & {image?: string, renotify?: boolean,
 *   actions?: {action: string, title: string}[]}} Options */

sw.addEventListener("install", () => sw.skipWaiting());
sw.addEventListener("activate", (event) => event.waitUntil(sw.clients.claim().then(flush)));
sw.addEventListener("message", (event) => event.waitUntil(flush())); // the page: we are online
sw.addEventListener("push", (event) => event.waitUntil(received(fieldsOf(event.data))));
sw.addEventListener("notificationclick", (event) => event.waitUntil(opened(event)));
sw.addEventListener("pushsubscriptionchange", (event) =>
  event.waitUntil(renew(/** @type {PushSubscriptionChangeEvent} */ (event))),
);

/** @param {Fields} fields */
async function received(fields) {
  // first, and whatever the push holds: one that shows nothing may cost the permission
  await sw.registration.showNotification(fields.vd_title || NAME, optionsOf(fields));
  const badge = Number.parseInt(fields.vd_badge, 10);
  if (badge >= 0) await sw.navigator.setAppBadge?.(badge).catch(() => {});
  await report(fields, "delivered");
}

/** @param {NotificationEvent} event */
async function opened(event) {
  const fields = event.notification.data ?? {};
  const action = actionsOf(fields).find((each) => each.id === event.action);
  event.notification.close();
  // the window before the report: a click lets us open one for a moment only
  await open(action?.link || fields.vd_link);
  await report(fields, "opened", event.action);
}

/** @param {unknown} link */
async function open(link) {
  const url = webLink(link);
  const windows = await sw.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => each.url === url);
  await (there ? there.focus() : sw.clients.openWindow(url));
}

/**
 * The link, or the site's first page where it is none that a browser should open.
 * @param {unknown} link
 */
function webLink(link) {
  try {
    const url = new URL(String(link || "/"), sw.location.origin);
    if (url.protocol === "https:" || url.origin === sw.location.origin) return url.href;
  } catch {
    // no URL at all
  }
  return new URL("/", sw.location.origin).href;
}

/**
 * @param {PushMessageData | null} data
 * @returns {Fields}
 */
function fieldsOf(data) {
  try {
    const found = data?.json() ?? {};
    return typeof found.data === "object" && found.data ? found.data : found; // by way of FCM
  } catch {
    return { vd_body: data?.text() }; // not from Vero Deliver
  }
}

/**
 * @param {Fields} fields
 * @returns {Options}
 */
function optionsOf(fields) {
  const extras = typeof fields.notification === "object" ? fields.notification : {};
  return {
    body: [fields.vd_subtitle, fields.vd_body].filter(Boolean).join("\n"),
    icon: ICON,
    image: fields.vd_image,
    tag: fields.vd_collapse || fields.vd_id, // the same push twice is shown once
    renotify: Boolean(fields.vd_collapse),
    actions: actionsOf(fields).map(({ id, title }) => ({ action: id, title })),
    ...extras,
    data: fields,
  };
}

/**
 * @param {Fields} fields
 * @returns {Action[]}
 */
function actionsOf(fields) {
  try {
    const found = JSON.parse(fields.vd_actions || "[]");
    return Array.isArray(found) ? found.filter((each) => each?.id && each?.title) : [];
  } catch {
    return [];
  }
}

// Reports wait in the cache until the server has answered.

/**
 * @param {Fields} fields
 * @param {"delivered" | "opened"} event
 * @param {string} [action]
 */
async function report(fields, event, action) {
  if (!fields.vd_report) return;
  const at = Math.floor(Date.now() / 1000);
  const mine = { token: fields.vd_report, event, at, ...(action ? { action } : {}) };
  await change((waiting) => [...waiting, mine].slice(-100));
  await flush();
}

async function flush() {
  const sent = await change((waiting) => waiting);
  if (!sent.length) return;
  try {
    // as text/plain, which needs no leave from another origin first
    const answer = await fetch(REPORTS, {
      method: "POST",
      body: JSON.stringify(sent),
      keepalive: true,
    });
    if (answer.status >= 500 || answer.status === 429) return;
  } catch {
    return; // offline: the next push, click or page tries again
  }
  const done = new Set(sent.map((each) => JSON.stringify(each)));
  await change((waiting) => waiting.filter((each) => !done.has(JSON.stringify(each))));
}

/** @type {Promise<any>} */
let turn = Promise.resolve();

/**
 * Changes the queue, one after another: pushes come at the same time.
 * @param {(waiting: any[]) => any[]} what
 * @returns {Promise<any[]>}
 */
function change(what) {
  turn = turn.catch(() => {}).then(async () => {
    const cache = await caches.open("vero-push");
    const kept = await cache.match("/vero-push-reports");
    const waiting = what(kept ? await kept.json() : []);
    await cache.put("/vero-push-reports", new Response(JSON.stringify(waiting)));
    return waiting;
  });
  return turn;
}

/**
 * The browser has changed the subscription: subscribe as before, and tell the backend.
 * @param {PushSubscriptionChangeEvent} event
 */
async function renew(event) {
  const old = event.oldSubscription;
  const options = old?.options ?? { userVisibleOnly: true };
  const fresh = event.newSubscription ?? (await sw.registration.pushManager.subscribe(options));
  await fetch(DEVICES, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: JSON.stringify(fresh), platform: "web", old: old?.endpoint }),
  });
}
