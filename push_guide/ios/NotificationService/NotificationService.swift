// The target "Notification Service Extension": it runs for every push that Vero Deliver marks with
// mutable-content, also while the app does not run, for 30 seconds at most.
import UserNotifications
import VeroPush

final class NotificationService: UNNotificationServiceExtension {
    private let work = DispatchGroup()
    private var content = UNMutableNotificationContent()
    private var handler: ((UNNotificationContent) -> Void)?

    override func didReceive(
        _ request: UNNotificationRequest,
        withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {
        guard let payload = PushPayload(userInfo: request.content.userInfo),
              let content = request.content.mutableCopy() as? UNMutableNotificationContent
        else { return contentHandler(request.content) }
        self.content = content
        handler = contentHandler
        work.enter()
        Push.reports.add(payload, .delivered) { [work] in work.leave() }
        if let image = payload.image { attach(image) }
        if !payload.actions.isEmpty { addButtons(payload.actions) }
        work.notify(queue: .main) { [self] in finish() }
    }

    /// Shows what is there.
    override func serviceExtensionTimeWillExpire() {
        DispatchQueue.main.async { [self] in finish() }
    }

    private func finish() {
        handler?(content)
        handler = nil
    }

    private func attach(_ image: URL) {
        work.enter()
        let request = URLRequest(url: image, timeoutInterval: 20)
        URLSession.shared.downloadTask(with: request) { [self] file, response, _ in
            defer { work.leave() }
            guard let file else { return }
            // the system tells the kind of picture by its extension
            let kinds = ["image/png": "png", "image/gif": "gif"]
            let kind = kinds[response?.mimeType ?? ""] ?? "jpg"
            let named = file.deletingPathExtension().appendingPathExtension(kind)
            try? FileManager.default.moveItem(at: file, to: named)
            if let picture = try? UNNotificationAttachment(identifier: "image", url: named) {
                content.attachments = [picture]
            }
        }.resume()
    }

    /// Buttons belong to a category; those that come with a push get one of their own.
    private func addButtons(_ actions: [PushPayload.Action]) {
        let buttons = actions.map {
            UNNotificationAction(identifier: $0.id, title: $0.title, options: [.foreground])
        }
        let named = "vd " + actions.map { "\($0.id)=\($0.title)" }.joined(separator: "&")
        let category = UNNotificationCategory(
            identifier: named, actions: buttons, intentIdentifiers: [], options: []
        )
        work.enter()
        let center = UNUserNotificationCenter.current()
        center.getNotificationCategories { [self] known in
            center.setNotificationCategories(known.filter { $0.identifier != named }.union([category]))
            // setting has no end that is told; a second look comes after it
            center.getNotificationCategories { [self] _ in
                content.categoryIdentifier = named
                work.leave()
            }
        }
    }
}
