package android.os;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

public class BaseBundle {
    final Map<String, String> values = new LinkedHashMap<>();

    public Set<String> keySet() {
        return values.keySet();
    }

    public String getString(String key) {
        return values.get(key);
    }

    public void putString(String key, String value) {
        values.put(key, value);
    }

    public void remove(String key) {
        values.remove(key);
    }
}
