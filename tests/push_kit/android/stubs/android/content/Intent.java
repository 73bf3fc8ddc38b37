package android.content;

import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import stub.Phone;

public class Intent {
    public static final String ACTION_VIEW = "android.intent.action.VIEW";
    public static final String ACTION_MAIN = "android.intent.action.MAIN";
    public static final int FLAG_ACTIVITY_NEW_TASK = 0x10000000;

    private String action;
    private Uri data;
    private String pkg;
    private Bundle extras;

    public Intent(String action) {
        this.action = action;
    }

    public Intent(String action, Uri uri) {
        this.action = action;
        this.data = uri;
    }

    public Intent(Context packageContext, Class<?> cls) {}

    public String getAction() {
        return action;
    }

    public Intent setAction(String action) {
        this.action = action;
        return this;
    }

    public Uri getData() {
        return data;
    }

    public String getPackage() {
        return pkg;
    }

    public Intent setPackage(String packageName) {
        pkg = packageName;
        return this;
    }

    public Intent addFlags(int flags) {
        return this;
    }

    public Intent putExtra(String name, String value) {
        if (extras == null) extras = new Bundle();
        extras.putString(name, value);
        return this;
    }

    public void removeExtra(String name) {
        if (extras != null) extras.remove(name);
    }

    /** A copy, as Android's is. */
    public Bundle getExtras() {
        return extras == null ? null : new Bundle(extras);
    }

    public ComponentName resolveActivity(PackageManager pm) {
        return Phone.handlesWeb ? new ComponentName(pkg, "Main") : null;
    }
}
