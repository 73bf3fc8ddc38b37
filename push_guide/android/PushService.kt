package com.example.shop.push

import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import androidx.core.app.NotificationCompat
import com.example.shop.R
import com.google.firebase.messaging.FirebaseMessagingService
import com.google.firebase.messaging.RemoteMessage

/** Gets every push that has only data, and in the foreground also the others. */
class PushService : FirebaseMessagingService() {
    override fun onNewToken(token: String) = PushSetup.save(token)

    // on a thread of its own, which the system grants about 20 seconds
    override fun onMessageReceived(message: RemoteMessage) {
        val payload = PushPayload.from(message.data) ?: return
        val title = payload.title ?: message.notification?.title ?: return
        show(payload, title, payload.body ?: message.notification?.body)
        PushReports.add(this, payload, "delivered")
    }

    private fun show(payload: PushPayload, title: String, body: String?) {
        PushSetup.createChannels(this)
        val channel = payload.category?.takeIf { it in PushConfig.channels }
        val builder = NotificationCompat.Builder(this, channel ?: PushConfig.DEFAULT_CHANNEL)
            .setSmallIcon(R.drawable.ic_push)
            .setContentTitle(title)
            .setContentText(body)
            .setSubText(payload.subtitle)
            .setStyle(NotificationCompat.BigTextStyle().bigText(body))
            .setAutoCancel(true)
            .setContentIntent(tap(payload, null))
        payload.badge?.let { builder.setNumber(it) }
        payload.image?.let(::picture)?.let {
            builder.setLargeIcon(it).setStyle(NotificationCompat.BigPictureStyle().bigPicture(it))
        }
        payload.actions.forEach { builder.addAction(0, it.title, tap(payload, it)) }
        val manager = getSystemService(NotificationManager::class.java)
        manager.notify(payload.tag, 0, builder.build())
    }

    private fun picture(url: String): Bitmap? {
        if (!url.startsWith("https://")) return null
        return PushHttp.download(url)?.let { BitmapFactory.decodeByteArray(it, 0, it.size) }
    }

    /** Straight to an activity: since Android 12 a service or receiver may not start one. */
    private fun tap(payload: PushPayload, action: PushPayload.Action?): PendingIntent {
        val intent = Intent(this, PushOpenActivity::class.java)
            // intents that differ only in extras would be one PendingIntent
            .setAction("${payload.id}/${action?.id.orEmpty()}")
            .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        payload.fields.forEach { (name, value) -> intent.putExtra(name, value) }
        action?.let { intent.putExtra(PushOpen.TAPPED, it.id) }
        val flags = PendingIntent.FLAG_UPDATE_CURRENT or PendingIntent.FLAG_IMMUTABLE
        return PendingIntent.getActivity(this, 0, intent, flags)
    }
}
