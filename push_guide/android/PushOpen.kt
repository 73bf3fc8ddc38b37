package com.example.shop.push

import android.app.Activity
import android.app.NotificationManager
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import kotlin.concurrent.thread

/** Is opened by a tap, shows nothing, and makes way for the link. */
class PushOpenActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        PushOpen.handle(this, intent) ?: PushOpen.follow(this, null)
        finish()
    }
}

object PushOpen {
    /** The extra with the id of the button that was tapped. */
    const val TAPPED = "vd_tapped"

    /**
     * Reports the tap and opens the link; null where the intent comes from no push.
     *
     * Call it also in onCreate and onNewIntent of the activity that the launcher starts: there a
     * push arrives that the system has shown. Give onNewIntent's intent, not the activity's.
     */
    fun handle(activity: Activity, intent: Intent): PushPayload? {
        val extras = intent.extras ?: return null
        val payload = PushPayload.from(extras.keySet().associateWith { extras.getString(it) })
            ?: return null
        intent.removeExtra("vd_id") // once: an activity that is made anew has the same intent
        val tapped = extras.getString(TAPPED)
        // a tap on a button closes no notification by itself
        activity.getSystemService(NotificationManager::class.java).cancel(payload.tag, 0)
        val context = activity.applicationContext
        thread { PushReports.add(context, payload, "opened", tapped) }
        val link = payload.actions.firstOrNull { it.id == tapped }?.link ?: payload.link
        if (link != null || activity is PushOpenActivity) follow(activity, link)
        return payload
    }

    /** Opens a link of this app or of the web, and for anything else the app's first screen. */
    fun follow(activity: Activity, link: String?) {
        val uri = link?.let(Uri::parse)
        val view = Intent(Intent.ACTION_VIEW, uri).setPackage(activity.packageName)
        val intent = when (uri?.scheme) {
            in PushConfig.ownSchemes -> view
            "https" ->
                if (view.resolveActivity(activity.packageManager) != null) view
                else Intent(Intent.ACTION_VIEW, uri)
            else -> null
        }
        try {
            intent?.let(activity::startActivity) ?: start(activity)
        } catch (_: ActivityNotFoundException) {
            start(activity)
        }
    }

    private fun start(activity: Activity) {
        activity.packageManager.getLaunchIntentForPackage(activity.packageName)
            ?.let(activity::startActivity)
    }
}
