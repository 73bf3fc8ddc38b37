package stub;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the tests see of the device that the stubs pretend to be. */
public final class Phone {
    public static final Map<String, Map<String, Object>> shown = new LinkedHashMap<>();
    public static final List<android.content.Intent> started = new ArrayList<>();
    public static final List<String> asked = new ArrayList<>();
    public static final Map<String, Object> channels = new LinkedHashMap<>();
    public static final Map<Object, Map<String, Object>> built = new LinkedHashMap<>();
    public static java.io.File files;
    /** Whether an app, or only the browser, handles https links of the shop. */
    public static boolean handlesWeb = false;
    public static boolean allowed = false;

    private Phone() {}
}
