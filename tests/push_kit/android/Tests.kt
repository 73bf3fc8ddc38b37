// Tests of push_guide/android on the JVM. Arguments: the golden payloads, an empty folder.

import android.app.Activity
import android.app.PendingIntent
import android.app.Screen
import android.content.Intent
import android.os.Build
import com.example.shop.push.PushConfig
import com.example.shop.push.PushOpen
import com.example.shop.push.PushOpenActivity
import com.example.shop.push.PushPayload
import com.example.shop.push.PushReports
import com.example.shop.push.PushService
import com.example.shop.push.PushSetup
import com.google.firebase.messaging.RemoteMessage
import com.sun.net.httpserver.HttpServer
import java.io.File
import java.net.InetSocketAddress
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import org.json.JSONArray
import org.json.JSONObject
import stub.Phone

lateinit var payloads: File
val posts = LinkedBlockingQueue<Pair<String, String>>()

@Volatile
var status = 200

fun golden(name: String): Map<String, String> {
    val message = JSONObject(File(payloads, "$name.json").readText())
    return JSONObject(message.getString("data")).let { data ->
        // as FCM hands it over
        data.keys().asSequence().associateWith(data::getString)
    }
}

fun push(name: String, title: String? = null, body: String? = null) =
    PushService().onMessageReceived(RemoteMessage(golden(name), title, body))

fun posted(): Pair<String, String> =
    posts.poll(10, TimeUnit.SECONDS) ?: error("nothing was posted")

fun reports(): List<Triple<String, String, String>> {
    val (path, body) = posted()
    check(path == "POST /push/reports") { path }
    val array = JSONArray(body)
    return (0 until array.length()).map { array.optJSONObject(it)!! }.map {
        check(System.currentTimeMillis() / 1000 - it.getString("at").toLong() < 60)
        Triple(it.getString("token"), it.getString("event"), it.optString("action"))
    }
}

fun tap(tag: String, button: String? = null): Intent {
    val intent = Phone.shown.getValue(tag)[button?.let { "button $it" } ?: "tap"] as PendingIntent
    intent.send()
    val opened = Phone.started.removeLast()
    check(Screen.start(PushOpenActivity(), opened).isFinishing) { "the activity stays" }
    return Phone.started.removeLast()
}

fun <T> same(found: T, wanted: T) = check(found == wanted) { "$found instead of $wanted" }

val tests = linkedMapOf<String, () -> Unit>(
    "what is pushed is shown and reported" to {
        push("plain.android")
        val shown = Phone.shown.getValue("plain-push")
        same(listOf(shown["title"], shown["text"]), listOf("On its way", "Your order has left us."))
        same(shown["channel"], PushConfig.DEFAULT_CHANNEL)
        same(shown["closes"], true)
        val report = golden("plain.android").getValue("vd_report")
        same(reports(), listOf(Triple(report, "delivered", "")))
    },
    "every field is in its place" to {
        push("rich.android")
        reports()
        val shown = Phone.shown.getValue("order-1001")
        same(shown["title"], "Your parcel is on its way 🐎")
        same(shown["text"], "It left us this morning.\nTomorrow it is yours.")
        same(shown["sub"], "Order 1001")
        same(listOf(shown["channel"], shown["badge"]), listOf("shipping", 3))
        val payload = PushPayload.from(golden("rich.android"))!!
        same(payload.data, mapOf("order" to "1001", "carrier" to "Příliš & žluťoučký"))
        same(payload.actions.map { it.id to it.link }, listOf(
            "track" to "https://shop.example.com/track/1001", "later" to null,
        ))
    },
    "a tap opens the link and is reported" to {
        push("deep-link.android")
        reports()
        val opened = tap("deep-link-push")
        same(opened.data.toString(), "shop://orders/1001")
        same(opened.`package`, "com.example.shop")
        same(reports().single().second, "opened")
        same("deep-link-push" in Phone.shown, false)
    },
    "a button opens its own link, and says which it was" to {
        push("rich.android")
        reports()
        val opened = tap("order-1001", "Track it")
        same(opened.data.toString(), "https://shop.example.com/track/1001")
        same(opened.`package`, null) // the browser: this app does not handle it
        same(reports().single().third, "track")
        Phone.handlesWeb = true
        push("rich.android")
        reports()
        same(tap("order-1001", "Later").`package`, "com.example.shop")
        same(reports().single().third, "later")
        Phone.handlesWeb = false
    },
    "two pushes have taps of their own" to {
        push("plain.android")
        push("deep-link.android")
        reports()
        reports()
        same(tap("plain-push").action, Intent.ACTION_MAIN)
        same(tap("deep-link-push").data.toString(), "shop://orders/1001")
        same(setOf(reports().single().second, reports().single().second), setOf("opened"))
    },
    "no link leads out of the web and the app" to {
        push("hostile.android")
        reports()
        same(Phone.shown.getValue("hostile-push")["large"], null)
        for (button in listOf(null, "A")) {
            val opened = tap("hostile-push", button)
            same(opened.action, Intent.ACTION_MAIN)
            same(opened.data, null)
            reports()
            push("hostile.android")
            reports()
        }
    },
    "a link that nobody handles starts the app" to {
        PushOpen.follow(PushOpenActivity(), "https://example.com/nobody")
        same(Phone.started.removeLast().action, Intent.ACTION_MAIN)
    },
    "a push that the system has shown is reported by the first screen, once" to {
        val intent = Intent(Intent.ACTION_MAIN)
        golden("rich.android-by-system").forEach { (name, value) -> intent.putExtra(name, value) }
        val first = Screen.start(Activity(), intent)
        same(PushOpen.handle(first, intent)!!.id, "rich-push")
        same(Phone.started.removeLast().data.toString(), "https://shop.example.com/orders/1001")
        same(reports().single().second, "opened")
        same(PushOpen.handle(first, intent), null)
        same(PushOpen.handle(first, Intent(Intent.ACTION_MAIN)), null)
    },
    "in the foreground the texts of the system's pushes are shown" to {
        push("plain.android-by-system", "Title", "Body")
        same(Phone.shown.getValue("plain-push")["title"], "Title")
        reports()
    },
    "reports wait while the server cannot take them" to {
        status = 503
        push("plain.android")
        same(reports().size, 1)
        status = 200
        push("deep-link.android")
        same(reports().map { it.second }, listOf("delivered", "delivered"))
        status = 403
        push("plain.android")
        same(reports().size, 1)
        status = 200
        PushReports.flush(PushService())
        same(posts.size, 0)
        val url = PushConfig.reportsUrl
        PushConfig.reportsUrl = "http://127.0.0.1:1/" // nobody is there
        push("plain.android")
        PushConfig.reportsUrl = url
        File(Phone.files, "push-reports.jsonl").appendText("\n{\"token\": \"cut o")
        PushReports.flush(PushService())
        same(reports().size, 1)
    },
    "what is not ours is left alone" to {
        PushService().onMessageReceived(RemoteMessage(mapOf("title" to "x"), "x", "y"))
        PushService().onMessageReceived(RemoteMessage(mapOf("vd_v" to "2", "vd_id" to "x"), "x", "y"))
        same(Phone.shown.keys, emptySet<String>())
        val broken = mapOf("vd_v" to "1", "vd_id" to "x", "vd_actions" to "[{", "vd_badge" to "many")
        val payload = PushPayload.from(broken)!!
        same(payload.actions.size to payload.badge, 0 to null)
    },
    "a token goes to the backend, new or fetched" to {
        PushService().onNewToken("t-1")
        same(posted(), "PUT /push/devices" to """{"token":"t-1","platform":"android"}""")
        PushSetup.refresh(PushService())
        same(posted().second, """{"token":"token-of-firebase","platform":"android"}""")
    },
    "leave is asked for where it is needed" to {
        Build.VERSION.SDK_INT = 32
        PushSetup.askPermission(Activity())
        same(Phone.asked, emptyList<String>())
        Build.VERSION.SDK_INT = 36
        PushSetup.askPermission(Activity())
        same(Phone.asked, listOf("android.permission.POST_NOTIFICATIONS"))
        Phone.allowed = true
        PushSetup.askPermission(Activity())
        same(Phone.asked.size, 1)
    },
)

fun main(args: Array<String>) {
    payloads = File(args[0])
    Phone.files = File(args[1])
    val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
    server.createContext("/") { exchange ->
        val body = exchange.requestBody.readBytes().decodeToString()
        exchange.sendResponseHeaders(status, -1)
        exchange.close()
        posts += "${exchange.requestMethod} ${exchange.requestURI.path}" to body
    }
    server.start()
    PushConfig.reportsUrl = "http://127.0.0.1:${server.address.port}/push/reports"
    PushConfig.devicesUrl = "http://127.0.0.1:${server.address.port}/push/devices"
    for ((name, test) in tests) {
        Phone.shown.clear()
        Phone.started.clear()
        try {
            test()
            println("ok $name")
        } catch (error: Throwable) {
            println("FAILED $name: $error")
            error.printStackTrace(System.out)
        }
    }
    server.stop(0)
}
