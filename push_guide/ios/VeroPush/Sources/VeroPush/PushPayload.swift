import Foundation

/// A push of Vero Deliver, version 1 of the payload contract.
public struct PushPayload: Equatable, Sendable {
    public struct Action: Equatable, Sendable, Decodable {
        public let id: String
        public let title: String
        public let link: String?
    }

    public let id: String
    public let report: String?
    public let link: String?
    public let actions: [Action]
    /// The message's own data.
    public let data: [String: String]

    private let imageText: String?

    /// nil for a push that is somebody else's.
    public init?(userInfo: [AnyHashable: Any]) {
        var fields: [String: String] = [:]
        for (name, value) in userInfo {
            if let name = name as? String, let value = value as? String {
                fields[name] = value
            }
        }
        guard fields["vd_v"] == "1", let id = fields["vd_id"], !id.isEmpty else { return nil }
        self.id = id
        report = fields["vd_report"]
        link = fields["vd_link"]
        imageText = fields["vd_image"]
        let json = Data((fields["vd_actions"] ?? "[]").utf8)
        actions = (try? JSONDecoder().decode([Action].self, from: json)) ?? []
        data = fields.filter { !$0.key.hasPrefix("vd_") }
    }

    /// The picture, where it is on the web.
    public var image: URL? {
        imageText.flatMap(URL.init(string:)).flatMap { $0.scheme == "https" ? $0 : nil }
    }

    /// What a tap opens: the button's own link, else the push's. nil where it is neither on the web
    /// nor of the app's own schemes.
    public func destination(action: String?, ownSchemes: Set<String>) -> URL? {
        let button = actions.first { $0.id == action }
        guard let url = (button?.link ?? link).flatMap(URL.init(string:)),
              let scheme = url.scheme?.lowercased(),
              scheme == "https" || ownSchemes.contains(scheme)
        else { return nil }
        return url
    }
}
