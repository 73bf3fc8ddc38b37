package com.google.firebase.messaging;

public class FirebaseMessagingService extends android.app.Service {
    public void onNewToken(String token) {}

    public void onMessageReceived(RemoteMessage message) {}
}
