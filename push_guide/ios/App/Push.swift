// In the app and in its notification service: add this file to both targets.
import Foundation
import VeroPush

/// What is your own; all other files can stay as they are.
enum Push {
    /// Where the feedback app of Vero Deliver is mounted.
    static let reportsURL = URL(string: "https://api.example.com/push/reports")!
    /// Your backend: keeps the token of the user who is logged in.
    static let devicesURL = URL(string: "https://api.example.com/push/devices")!
    /// Of both targets (Signing & Capabilities, App Groups).
    static let appGroup = "group.com.example.shop"
    /// Schemes of links that this app opens itself.
    static let ownSchemes: Set<String> = ["shop"]

    static let reports = PushReports(
        folder: (FileManager.default.containerURL(forSecurityApplicationGroupIdentifier: appGroup)
            ?? FileManager.default.temporaryDirectory).appendingPathComponent("push-reports"),
        url: reportsURL
    )
}
