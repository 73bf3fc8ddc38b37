import Foundation
import XCTest

@testable import VeroPush

/// Reads the golden payloads, which the library makes.
final class PushPayloadTests: XCTestCase {
    private func payload(_ name: String) throws -> PushPayload {
        let guide = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = guide.appendingPathComponent("payloads/\(name).ios.json")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        let userInfo = try XCTUnwrap(json as? [String: Any])
        return try XCTUnwrap(PushPayload(userInfo: userInfo))
    }

    func testEveryFieldIsRead() throws {
        let rich = try payload("rich")
        XCTAssertEqual(rich.id, "rich-push")
        XCTAssertNotNil(rich.report)
        XCTAssertEqual(rich.image?.absoluteString, "https://shop.example.com/parcel.jpg")
        XCTAssertEqual(rich.data, ["order": "1001", "carrier": "Příliš & žluťoučký"])
        XCTAssertEqual(rich.actions.map(\.id), ["track", "later"])
    }

    func testAButtonHasItsOwnLink() throws {
        let rich = try payload("rich")
        let track = rich.destination(action: "track", ownSchemes: [])
        XCTAssertEqual(track?.absoluteString, "https://shop.example.com/track/1001")
        for action in ["later", nil] {
            let order = rich.destination(action: action, ownSchemes: [])
            XCTAssertEqual(order?.absoluteString, "https://shop.example.com/orders/1001")
        }
    }

    func testLinksOfTheApp() throws {
        let deep = try payload("deep-link")
        let opened = deep.destination(action: nil, ownSchemes: ["shop"])
        XCTAssertEqual(opened?.absoluteString, "shop://orders/1001")
        XCTAssertNil(deep.destination(action: nil, ownSchemes: []))
    }

    func testNoOtherLinkIsOpened() throws {
        let hostile = try payload("hostile")
        XCTAssertNil(hostile.destination(action: nil, ownSchemes: ["shop"]))
        XCTAssertNil(hostile.destination(action: "same", ownSchemes: ["shop"]))
        XCTAssertNil(hostile.image)
    }

    func testWhatIsNotOursIsLeftAlone() {
        XCTAssertNil(PushPayload(userInfo: ["aps": ["alert": "x"]]))
        XCTAssertNil(PushPayload(userInfo: ["vd_v": "2", "vd_id": "x"]))
        XCTAssertEqual(
            PushPayload(userInfo: ["vd_v": "1", "vd_id": "x", "vd_actions": "[{"])?.actions, []
        )
    }

    func testReportsWaitUntilTheyAreTaken() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let nobody = try XCTUnwrap(URL(string: "http://127.0.0.1:1/"))
        let reports = PushReports(folder: folder, url: nobody)
        for event in [PushReports.Event.delivered, .opened] {
            let tried = expectation(description: event.rawValue)
            reports.add(try payload("rich"), event) { tried.fulfill() }
            wait(for: [tried], timeout: 15)
        }
        XCTAssertEqual(reports.waiting().count, 2)
    }
}
