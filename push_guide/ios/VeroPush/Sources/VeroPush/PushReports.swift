import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Reports wait as files until the server has answered: the next push, tap or start tries again.
///
/// The app and its notification service share the folder, in their app group.
public final class PushReports: @unchecked Sendable {
    public enum Event: String, Sendable {
        case delivered, opened
    }

    private static let most = 100
    #if canImport(Darwin)
    // pushes come also while the phone is locked
    private static let options: Data.WritingOptions = [
        .atomic, .completeFileProtectionUntilFirstUserAuthentication,
    ]
    #else
    private static let options: Data.WritingOptions = .atomic
    #endif
    private let folder: URL
    private let url: URL
    private let session: URLSession

    public init(folder: URL, url: URL, session: URLSession = .shared) {
        self.folder = folder
        self.url = url
        self.session = session
    }

    /// Keeps the report and sends what waits. done: called once, on any thread, within seconds.
    public func add(
        _ payload: PushPayload,
        _ event: Event,
        action: String? = nil,
        at: Date = Date(),
        done: @escaping @Sendable () -> Void = {}
    ) {
        guard let token = payload.report else { return done() }
        var report: [String: Any] = [
            "token": token, "event": event.rawValue, "at": Int(at.timeIntervalSince1970),
        ]
        if let action { report["action"] = action }
        if let json = try? JSONSerialization.data(withJSONObject: report) {
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appendingPathComponent("\(UUID().uuidString).json")
            try? json.write(to: file, options: Self.options)
        }
        flush(done: done)
    }

    public func flush(done: @escaping @Sendable () -> Void = {}) {
        let files = waiting()
        let reports = files.compactMap { try? Data(contentsOf: $0) }
        guard !reports.isEmpty else { return done() }
        var request = URLRequest(url: url, timeoutInterval: 10)
        request.httpMethod = "POST"
        request.setValue("text/plain", forHTTPHeaderField: "Content-Type")
        var body = Data("[".utf8)
        body.append(contentsOf: reports.joined(separator: Data(",".utf8)))
        body.append(contentsOf: "]".utf8)
        request.httpBody = body
        session.dataTask(with: request) { _, response, _ in
            let status = (response as? HTTPURLResponse)?.statusCode ?? 503
            if status < 500, status != 429 {
                files.forEach { try? FileManager.default.removeItem(at: $0) }
            }
            done()
        }.resume()
    }

    func waiting() -> [URL] {
        let found = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil
        )
        return Array((found ?? []).filter { $0.pathExtension == "json" }.prefix(Self.most))
    }
}
