package org.json;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

public class JSONArray {
    final List<Object> values;

    public JSONArray(Collection<?> copyFrom) {
        values = new ArrayList<>(copyFrom);
    }

    public JSONArray(String json) throws JSONException {
        if (!(new JSONText(json).value() instanceof JSONArray found)) throw new JSONException(json);
        values = found.values;
    }

    public int length() {
        return values.size();
    }

    public JSONObject optJSONObject(int index) {
        return values.get(index) instanceof JSONObject found ? found : null;
    }

    public String toString() {
        return JSONText.of(this);
    }
}
