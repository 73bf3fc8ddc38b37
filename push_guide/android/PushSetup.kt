package com.example.shop.push

import android.Manifest
import android.app.Activity
import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import com.google.firebase.messaging.FirebaseMessaging
import kotlin.concurrent.thread
import org.json.JSONObject

object PushSetup {
    /** Call it when the app starts, so that the system's settings have the channels from then on. */
    fun createChannels(context: Context) {
        val manager = context.getSystemService(NotificationManager::class.java)
        PushConfig.channels.forEach { (id, channel) ->
            manager.createNotificationChannel(NotificationChannel(id, channel.name, channel.importance))
        }
    }

    /** Call it after login and at each start of the app: the token may have changed. */
    fun refresh(context: Context) {
        FirebaseMessaging.getInstance().token.addOnSuccessListener { save(it) }
        thread { PushReports.flush(context.applicationContext) }
    }

    /** Since Android 13 nothing is shown without leave. Ask when people see why, not at the start. */
    fun askPermission(activity: Activity) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
        val permission = Manifest.permission.POST_NOTIFICATIONS
        if (activity.checkSelfPermission(permission) != PackageManager.PERMISSION_GRANTED) {
            activity.requestPermissions(arrayOf(permission), 0)
        }
    }

    /** Hands the token to your backend; add what says which user it is of. */
    fun save(token: String) {
        val device = JSONObject().put("token", token).put("platform", "android")
        thread { PushHttp.send("PUT", PushConfig.devicesUrl, "application/json", device.toString()) }
    }
}
