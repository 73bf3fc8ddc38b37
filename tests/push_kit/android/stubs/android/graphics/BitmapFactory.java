package android.graphics;

public class BitmapFactory {
    public static Bitmap decodeByteArray(byte[] data, int offset, int length) {
        return length > 2 && data[0] == 'G' && data[1] == 'I' ? new Bitmap() : null;
    }
}
