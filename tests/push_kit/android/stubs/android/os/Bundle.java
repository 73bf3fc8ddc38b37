package android.os;

public final class Bundle extends BaseBundle {
    public Bundle() {}

    public Bundle(Bundle b) {
        values.putAll(b.values);
    }
}
