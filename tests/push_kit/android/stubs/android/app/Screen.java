package android.app;

import android.content.Intent;

/** Not of Android: starts an activity as the system would. */
public final class Screen {
    public static Activity start(Activity activity, Intent intent) {
        activity.setIntent(intent);
        activity.onCreate(null);
        return activity;
    }

    private Screen() {}
}
