package android.app;

import stub.Phone;

public class NotificationManager {
    public static final int IMPORTANCE_DEFAULT = 3;
    public static final int IMPORTANCE_HIGH = 4;

    public void createNotificationChannel(NotificationChannel channel) {
        Phone.channels.put(channel.id, channel.name);
    }

    /** Since Android 8 a notification of an unknown channel is not shown. */
    public void notify(String tag, int id, Notification notification) {
        if (Phone.channels.containsKey(Phone.built.get(notification).get("channel"))) {
            Phone.shown.put(tag, Phone.built.get(notification));
        }
    }

    public void cancel(String tag, int id) {
        Phone.shown.remove(tag);
    }
}
