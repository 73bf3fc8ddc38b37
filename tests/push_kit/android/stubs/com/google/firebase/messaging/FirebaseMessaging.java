package com.google.firebase.messaging;

import com.google.android.gms.tasks.Task;

public class FirebaseMessaging {
    public static FirebaseMessaging getInstance() {
        return new FirebaseMessaging();
    }

    public Task<String> getToken() {
        return new Task<>("token-of-firebase");
    }
}
