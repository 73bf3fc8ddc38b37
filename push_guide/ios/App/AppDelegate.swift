import UIKit
import UserNotifications
import VeroPush

@main
final class AppDelegate: UIResponder, UIApplicationDelegate {
    func application(
        _ application: UIApplication,
        didFinishLaunchingWithOptions launchOptions: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        // before this method ends, or the tap that started the app is lost
        UNUserNotificationCenter.current().delegate = self
        // at every start: the token may have changed. It needs no permission
        application.registerForRemoteNotifications()
        Push.reports.flush()
        return true
    }

    func application(
        _ application: UIApplication,
        didRegisterForRemoteNotificationsWithDeviceToken deviceToken: Data
    ) {
        let token = deviceToken.map { String(format: "%02x", $0) }.joined()
        var request = URLRequest(url: Push.devicesURL)
        request.httpMethod = "PUT"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        // add what says which user it is of
        request.httpBody = try? JSONEncoder().encode(["token": token, "platform": "ios"])
        URLSession.shared.dataTask(with: request).resume()
    }

    func application(
        _ application: UIApplication,
        didFailToRegisterForRemoteNotificationsWithError error: Error
    ) {
        print("no token for push: \(error)") // a missing capability, or no network
    }

    func applicationDidBecomeActive(_ application: UIApplication) {
        UNUserNotificationCenter.current().setBadgeCount(0)
    }

    /// Ask when people see why, not at the start: they are asked only once.
    static func askPermission() async -> Bool {
        let center = UNUserNotificationCenter.current()
        return (try? await center.requestAuthorization(options: [.alert, .badge, .sound])) ?? false
    }
}

extension AppDelegate: UNUserNotificationCenterDelegate {
    /// Shows pushes also while the app is open; without it they vanish.
    func userNotificationCenter(
        _ center: UNUserNotificationCenter,
        willPresent notification: UNNotification,
        withCompletionHandler completionHandler: @escaping (UNNotificationPresentationOptions) -> Void
    ) {
        completionHandler([.banner, .list, .sound, .badge])
    }

    func userNotificationCenter(
        _ center: UNUserNotificationCenter,
        didReceive response: UNNotificationResponse,
        withCompletionHandler completionHandler: @escaping () -> Void
    ) {
        let tapped = response.actionIdentifier
        guard tapped != UNNotificationDismissActionIdentifier,
              let payload = PushPayload(userInfo: response.notification.request.content.userInfo)
        else { return completionHandler() }
        let action = tapped == UNNotificationDefaultActionIdentifier ? nil : tapped
        if let url = payload.destination(action: action, ownSchemes: Push.ownSchemes) {
            if !show(url) { UIApplication.shared.open(url) }
        }
        // the system waits for the end of it before it puts the app to sleep
        Push.reports.add(payload, .opened, action: action) {
            DispatchQueue.main.async(execute: completionHandler)
        }
    }

    /// Shows the screen that a link stands for; false leaves it to the system. Universal links of
    /// your own belong here: an app that hands one to the system gets it opened in the browser.
    private func show(_ url: URL) -> Bool {
        false
    }
}
