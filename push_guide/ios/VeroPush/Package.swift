// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "VeroPush",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "VeroPush", targets: ["VeroPush"])],
    targets: [
        .target(name: "VeroPush"),
        .testTarget(name: "VeroPushTests", dependencies: ["VeroPush"]),
    ]
)
