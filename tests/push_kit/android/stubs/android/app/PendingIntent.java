package android.app;

import android.content.Context;
import android.content.Intent;
import java.util.LinkedHashMap;
import java.util.Map;

public final class PendingIntent {
    public static final int FLAG_IMMUTABLE = 1 << 26;
    public static final int FLAG_UPDATE_CURRENT = 1 << 27;

    private static final Map<String, PendingIntent> KNOWN = new LinkedHashMap<>();
    final Intent[] intent = new Intent[1];

    /** One for each action and request code, as Android compares them: extras do not count. */
    public static PendingIntent getActivity(Context context, int requestCode, Intent intent, int flags) {
        if ((flags & FLAG_IMMUTABLE) == 0) {
            throw new IllegalArgumentException("Targeting S+ requires FLAG_IMMUTABLE or FLAG_MUTABLE");
        }
        String same = requestCode + "/" + intent.getAction() + "/" + intent.getData();
        PendingIntent found = KNOWN.computeIfAbsent(same, name -> new PendingIntent());
        if (found.intent[0] == null || (flags & FLAG_UPDATE_CURRENT) != 0) found.intent[0] = intent;
        return found;
    }

    public void send() {
        stub.Phone.started.add(intent[0]);
    }
}
