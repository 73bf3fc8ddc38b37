package android.content;

import android.app.NotificationManager;
import android.content.pm.PackageManager;
import stub.Phone;

public abstract class Context {
    private static final NotificationManager MANAGER = new NotificationManager();

    public java.io.File getFilesDir() {
        return Phone.files;
    }

    public String getPackageName() {
        return "com.example.shop";
    }

    public Context getApplicationContext() {
        return this;
    }

    public PackageManager getPackageManager() {
        return new PackageManager();
    }

    public <T> T getSystemService(Class<T> serviceClass) {
        return serviceClass.cast(MANAGER);
    }

    public int checkSelfPermission(String permission) {
        return Phone.allowed ? PackageManager.PERMISSION_GRANTED : PackageManager.PERMISSION_DENIED;
    }

    public void startActivity(Intent intent) {
        if (String.valueOf(intent.getData()).endsWith("/nobody")) {
            throw new ActivityNotFoundException("nobody");
        }
        Phone.started.add(intent);
    }
}
