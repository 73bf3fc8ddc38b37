package org.json;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** JSON as text, for the two classes that Android has. */
final class JSONText {
    private final String text;
    private int at = 0;

    JSONText(String text) {
        this.text = text;
    }

    Object value() throws JSONException {
        Object found = next();
        skip();
        if (at < text.length()) throw new JSONException("more than one value");
        return found;
    }

    static String of(Object value) {
        if (value instanceof JSONObject object) {
            return object.values.entrySet().stream()
                .map(each -> quoted(each.getKey()) + ":" + of(each.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof JSONArray array) {
            return array.values.stream().map(JSONText::of).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof String string ? quoted(string) : String.valueOf(value);
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    private Object next() throws JSONException {
        skip();
        if (at >= text.length()) throw new JSONException("it ends too soon");
        switch (text.charAt(at)) {
            case '{': {
                at++;
                JSONObject object = new JSONObject();
                for (boolean more = !ends('}'); more; more = !ends('}')) {
                    String name = string();
                    expect(':');
                    object.put(name, next());
                }
                return object;
            }
            case '[': {
                at++;
                List<Object> found = new ArrayList<>();
                for (boolean more = !ends(']'); more; more = !ends(']')) found.add(next());
                return new JSONArray(found);
            }
            case '"':
                return string();
            default:
                return word();
        }
    }

    private boolean ends(char end) throws JSONException {
        skip();
        if (at < text.length() && text.charAt(at) == ',') at++;
        skip();
        if (at >= text.length()) throw new JSONException("it ends too soon");
        if (text.charAt(at) != end) return false;
        at++;
        return true;
    }

    private String string() throws JSONException {
        skip();
        expect('"');
        StringBuilder out = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escaped = text.charAt(at++);
            if (escaped == 'u') {
                out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                at += 4;
            } else {
                int known = "nrtbf".indexOf(escaped);
                out.append(known < 0 ? escaped : "\n\r\t\b\f".charAt(known));
            }
        }
        expect('"');
        return out.toString();
    }

    private Object word() throws JSONException {
        int start = at;
        while (at < text.length() && ",]}: \n\r\t".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(start, at);
        if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
        try {
            return word.contains(".") ? (Object) Double.valueOf(word) : (Object) Long.valueOf(word);
        } catch (NumberFormatException error) {
            throw new JSONException("not JSON: " + word);
        }
    }

    private void skip() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
    }

    private void expect(char wanted) throws JSONException {
        skip();
        if (at >= text.length() || text.charAt(at) != wanted) throw new JSONException("no " + wanted);
        at++;
    }
}
