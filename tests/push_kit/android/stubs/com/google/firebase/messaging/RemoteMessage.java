package com.google.firebase.messaging;

import java.util.Map;

public final class RemoteMessage {
    private final Map<String, String> data;
    private final Notification notification;

    public RemoteMessage(Map<String, String> data, String title, String body) {
        this.data = data;
        this.notification = title == null ? null : new Notification(title, body);
    }

    public Map<String, String> getData() {
        return data;
    }

    public Notification getNotification() {
        return notification;
    }

    public static class Notification {
        private final String title;
        private final String body;

        Notification(String title, String body) {
            this.title = title;
            this.body = body;
        }

        public String getTitle() {
            return title;
        }

        public String getBody() {
            return body;
        }
    }
}
