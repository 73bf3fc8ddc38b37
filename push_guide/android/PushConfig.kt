package com.example.shop.push

import android.app.NotificationManager

/** What is your own; all other files can stay as they are. */
object PushConfig {
    /** Where the feedback app of Vero Deliver is mounted. */
    var reportsUrl = "https://api.example.com/push/reports"

    /** Your backend: keeps the token of the user who is logged in. */
    var devicesUrl = "https://api.example.com/push/devices"

    /** Schemes of links that this app opens itself, as its manifest says. */
    val ownSchemes = setOf("shop")

    /** Every `category` that messages use, with the name in the system's settings. */
    val channels = mapOf(
        DEFAULT_CHANNEL to Channel("General", NotificationManager.IMPORTANCE_DEFAULT),
        "shipping" to Channel("Your orders", NotificationManager.IMPORTANCE_HIGH),
    )

    const val DEFAULT_CHANNEL = "default"

    class Channel(val name: String, val importance: Int)
}
