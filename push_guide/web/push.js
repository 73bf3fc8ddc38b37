// @ts-check
// For the page: subscribes, and keeps the backend's copy of the subscription fresh.

// what `vero-deliver key new vapid` printed
export const PUBLIC_KEY = "PASTE-IT-HERE";
const WORKER = "/service-worker.js";
const DEVICES = "/push/devices"; // your backend

/**
 * Call it from a click: browsers refuse to ask unasked, and people do too.
 * @returns {Promise<boolean>} whether this browser will get pushes
 */
export async function subscribe() {
  // on iOS only for a site that was added to the home screen
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return false;
  if ((await Notification.requestPermission()) !== "granted") return false;
  const registration = await navigator.serviceWorker.register(WORKER);
  await navigator.serviceWorker.ready;
  const key = bytes(PUBLIC_KEY);
  const former = await registration.pushManager.getSubscription();
  // a subscription belongs to the key that it was made with
  if (former && !same(former.options.applicationServerKey, key)) await former.unsubscribe();
  await save(
    await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }),
  );
  return true;
}

/** Call it on every page: a browser may change a subscription without telling anybody. */
export async function refresh() {
  const registration = await navigator.serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  if (subscription) await save(subscription);
  registration?.active?.postMessage("online"); // sends the reports that wait
}

/** Call it when the user logs out or wants no more. */
export async function unsubscribe() {
  const registration = await navigator.serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return;
  await subscription.unsubscribe();
  await send("DELETE", subscription);
}

/** @param {PushSubscription} subscription */
const save = (subscription) => send("PUT", subscription);

/**
 * @param {"PUT" | "DELETE"} method
 * @param {PushSubscription} subscription
 */
function send(method, subscription) {
  // the whole of it: nothing can be encrypted for an endpoint without its keys
  const device = { token: JSON.stringify(subscription), platform: "web" };
  return fetch(DEVICES, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(device),
  });
}

/** @param {string} base64url */
function bytes(base64url) {
  const base64 = base64url.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/**
 * @param {ArrayBuffer | null} found
 * @param {Uint8Array} wanted
 */
function same(found, wanted) {
  const octets = new Uint8Array(found ?? new ArrayBuffer(0));
  return octets.length === wanted.length && octets.every((octet, at) => octet === wanted[at]);
}
