// Runs the service worker of the push guide in Chromium, with real push events and real clicks.
// stdin: {chromium, origin, pushes: [{data, opens}], sign, out}. Writes the file `sign` when there is
// something to click on, and what was shown, and the windows at the end, into the file `out`.
// The desktop that clicks is tests/push_kit/desktop.py.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** What `wanted` makes of the notifications, as soon as that is something. */
async function until(page, wanted) {
  for (let tries = 0; tries < 600; tries += 1) {
    const all = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (await registration.getNotifications()).map(
        ({ title, body, tag, image, renotify, requireInteraction }) =>
          ({ title, body, tag, image, renotify, requireInteraction }),
      );
    });
    const found = wanted(all);
    if (found) return found;
    await page.waitForTimeout(50);
  }
  throw new Error(`waited in vain for ${wanted}`);
}

const given = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "vero-push-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: given.chromium,
  headless: false,
  ignoreDefaultArgs: ["--disable-notifications"],
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--enable-features=NativeNotifications,SystemNotifications",
  ],
});
try {
  await context.grantPermissions(["notifications"], { origin: given.origin });
  const page = context.pages()[0];
  await page.goto(`${given.origin}/`);
  const cdp = await context.newCDPSession(page);
  const registered = new Promise((resolve) =>
    cdp.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
      const active = versions.find((each) => each.status === "activated");
      if (active) resolve(active.registrationId);
    }),
  );
  await cdp.send("ServiceWorker.enable");
  await page.evaluate(() => navigator.serviceWorker.register("/service-worker.js"));
  const registrationId = await registered;
  const shown = [];
  for (const { data, opens } of given.pushes) {
    const before = context.pages().length;
    await cdp.send("ServiceWorker.deliverPushMessage", {
      origin: given.origin,
      registrationId,
      data,
    });
    shown.push(await until(page, (all) => all[0]));
    writeFileSync(given.sign, "");
    await until(page, (all) => !all.length); // the click closes it, and opens a window
    for (let tries = 0; opens && context.pages().length === before && tries < 200; tries += 1) {
      await page.waitForTimeout(50);
    }
  }
  await page.evaluate(() => navigator.serviceWorker.controller?.postMessage("online"));
  await page.waitForTimeout(500);
  const windows = context.pages().map((each) => each.url());
  writeFileSync(given.out, JSON.stringify({ shown, windows }));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
