package org.json;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

public class JSONObject {
    final Map<String, Object> values;

    public JSONObject() {
        values = new LinkedHashMap<>();
    }

    public JSONObject(String json) throws JSONException {
        if (!(new JSONText(json).value() instanceof JSONObject found)) throw new JSONException(json);
        values = found.values;
    }

    public JSONObject put(String name, Object value) throws JSONException {
        values.put(name, value);
        return this;
    }

    public JSONObject put(String name, long value) throws JSONException {
        values.put(name, value);
        return this;
    }

    public String getString(String name) throws JSONException {
        if (!values.containsKey(name)) throw new JSONException("No value for " + name);
        return values.get(name).toString();
    }

    public String optString(String name) {
        return values.containsKey(name) ? values.get(name).toString() : "";
    }

    public Iterator<String> keys() {
        return values.keySet().iterator();
    }

    public String toString() {
        return JSONText.of(this);
    }
}
