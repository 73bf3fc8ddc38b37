package androidx.core.app;

import android.app.Notification;
import android.app.PendingIntent;
import android.content.Context;
import android.graphics.Bitmap;
import java.util.LinkedHashMap;
import java.util.Map;
import stub.Phone;

public class NotificationCompat {
    public abstract static class Style {}

    public static class BigTextStyle extends Style {
        CharSequence text;

        public BigTextStyle bigText(CharSequence cs) {
            text = cs;
            return this;
        }
    }

    public static class BigPictureStyle extends Style {
        public BigPictureStyle bigPicture(Bitmap b) {
            return this;
        }
    }

    public static class Builder {
        private final Map<String, Object> values = new LinkedHashMap<>();

        public Builder(Context context, String channelId) {
            values.put("channel", channelId);
        }

        public Builder setSmallIcon(int icon) {
            return with("icon", icon);
        }

        public Builder setLargeIcon(Bitmap icon) {
            return with("large", icon);
        }

        public Builder setContentTitle(CharSequence title) {
            return with("title", title);
        }

        public Builder setContentText(CharSequence text) {
            return with("text", text);
        }

        public Builder setSubText(CharSequence text) {
            return with("sub", text);
        }

        public Builder setStyle(Style style) {
            return with("style", style.getClass().getSimpleName());
        }

        public Builder setAutoCancel(boolean autoCancel) {
            return with("closes", autoCancel);
        }

        public Builder setNumber(int number) {
            return with("badge", number);
        }

        public Builder setContentIntent(PendingIntent intent) {
            return with("tap", intent);
        }

        public Builder addAction(int icon, CharSequence title, PendingIntent intent) {
            return with("button " + title, intent);
        }

        /** Without a small icon Android throws when it is shown. */
        public Notification build() {
            if (!values.containsKey("icon")) throw new IllegalArgumentException("no small icon");
            Notification made = new Notification();
            Phone.built.put(made, values);
            return made;
        }

        private Builder with(String name, Object value) {
            values.put(name, value);
            return this;
        }
    }
}
