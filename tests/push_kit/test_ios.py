"""push_guide/ios: the Swift parses, and iOS has the methods that it implements and calls.

There is no Swift compiler here: what only that can tell is in the guide's list of what to try on
a device.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tree_sitter_swift
from push_golden import GUIDE
from tree_sitter import Language, Parser

IOS = GUIDE / "ios"
TYPES = Path(__file__).parents[1] / "push_peers/node_modules/@nativescript/types-ios/lib/ios"
APP, EXTENSION = "App/AppDelegate.swift", "NotificationService/NotificationService.swift"

# in our file; in the list of Objective-C: framework, class or protocol, name
CALLED: list[tuple[str, str, str, str, str]] = [
    (APP, "didFinishLaunchingWithOptions launchOptions", "UIKit", "UIApplicationDelegate",
     "applicationDidFinishLaunchingWithOptions"),
    (APP, "didRegisterForRemoteNotificationsWithDeviceToken deviceToken: Data", "UIKit",
     "UIApplicationDelegate", "applicationDidRegisterForRemoteNotificationsWithDeviceToken"),
    (APP, "didFailToRegisterForRemoteNotificationsWithError error: Error", "UIKit",
     "UIApplicationDelegate", "applicationDidFailToRegisterForRemoteNotificationsWithError"),
    (APP, "func applicationDidBecomeActive(_ application: UIApplication)", "UIKit",
     "UIApplicationDelegate", "applicationDidBecomeActive"),
    (APP, "application.registerForRemoteNotifications()", "UIKit", "UIApplication",
     "registerForRemoteNotifications"),
    (APP, "UIApplication.shared.open(url)", "UIKit", "UIApplication",
     "openURLOptionsCompletionHandler"),
    (APP, "willPresent notification: UNNotification", "UserNotifications",
     "UNUserNotificationCenterDelegate",
     "userNotificationCenterWillPresentNotificationWithCompletionHandler"),
    (APP, "didReceive response: UNNotificationResponse", "UserNotifications",
     "UNUserNotificationCenterDelegate",
     "userNotificationCenterDidReceiveNotificationResponseWithCompletionHandler"),
    (APP, "UNUserNotificationCenter.current()", "UserNotifications", "UNUserNotificationCenter",
     "currentNotificationCenter"),
    (APP, ".setBadgeCount(0)", "UserNotifications", "UNUserNotificationCenter",
     "setBadgeCountWithCompletionHandler"),
    (APP, "center.requestAuthorization(options:", "UserNotifications", "UNUserNotificationCenter",
     "requestAuthorizationWithOptionsCompletionHandler"),
    (APP, "response.actionIdentifier", "UserNotifications", "UNNotificationResponse",
     "actionIdentifier"),
    (EXTENSION, "override func didReceive(", "UserNotifications", "UNNotificationServiceExtension",
     "didReceiveNotificationRequestWithContentHandler"),
    (EXTENSION, "override func serviceExtensionTimeWillExpire()", "UserNotifications",
     "UNNotificationServiceExtension", "serviceExtensionTimeWillExpire"),
    (EXTENSION, "UNNotificationAttachment(identifier:", "UserNotifications",
     "UNNotificationAttachment", "attachmentWithIdentifierURLOptionsError"),
    (EXTENSION, "UNNotificationAction(identifier:", "UserNotifications", "UNNotificationAction",
     "actionWithIdentifierTitleOptions"),
    (EXTENSION, "intentIdentifiers: [], options: []", "UserNotifications",
     "UNNotificationCategory", "categoryWithIdentifierActionsIntentIdentifiersOptions"),
    (EXTENSION, "center.getNotificationCategories", "UserNotifications",
     "UNUserNotificationCenter", "getNotificationCategoriesWithCompletionHandler"),
    (EXTENSION, "center.setNotificationCategories(", "UserNotifications",
     "UNUserNotificationCenter", "setNotificationCategories"),
    (EXTENSION, "content.categoryIdentifier = ", "UserNotifications",
     "UNMutableNotificationContent", "categoryIdentifier"),
    (EXTENSION, "content.attachments = ", "UserNotifications", "UNMutableNotificationContent",
     "attachments"),
    ("App/Push.swift", "containerURL(forSecurityApplicationGroupIdentifier:", "Foundation",
     "NSFileManager", "containerURLForSecurityApplicationGroupIdentifier"),
]  # fmt: skip


def files() -> list[Path]:
    return sorted(IOS.rglob("*.swift"))


def broken(text: str) -> bool:
    """Whether it is not Swift."""
    return Parser(Language(tree_sitter_swift.language())).parse(text.encode()).root_node.has_error


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_it_is_swift(path: Path) -> None:
    """The file parses; the same without its last brace does not."""
    text = path.read_text("utf-8")
    assert not broken(text)
    ends = max(text.rindex(end) for end in "})" if end in text)
    assert broken(text[:ends])


def declared(framework: str, owner: str) -> str:
    """A class or protocol of a framework, as the list of types has it."""
    [file] = TYPES.rglob(f"objc!{framework}.d.ts")
    pattern = rf"^(?:declare class|interface) {owner}\b.*?^}}"
    found = re.search(pattern, file.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, owner
    return found[0]


@pytest.mark.parametrize(("file", "swift", "framework", "owner", "name"), CALLED)
def test_ios_has_it(file: str, swift: str, framework: str, owner: str, name: str) -> None:
    """Each method of the system that the app implements or calls is there under its name."""
    assert swift in (IOS / file).read_text("utf-8")
    if not TYPES.is_dir():
        pytest.skip("no types-ios: scripts/peers tests/push_peers")
    assert re.search(rf"\b{name}\??[(:]", declared(framework, owner))
    assert not re.search(rf"\b{name}s\??[(:]", declared(framework, owner))


def test_every_method_of_the_system_is_looked_up() -> None:
    """A delegate's method or an override that is added here has to be in the table."""
    for file in (APP, EXTENSION):
        text = (IOS / file).read_text("utf-8")
        pattern = r"^    (?:override )?func \w+\(.*?\)(?: -> \w+)? \{"
        for found in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
            assert any(swift in found[0] for where, swift, *_ in CALLED if where == file), found[0]
