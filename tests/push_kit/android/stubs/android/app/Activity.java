package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Bundle;
import stub.Phone;

public class Activity extends Context {
    private Intent intent;
    private boolean finishing;

    protected void onCreate(Bundle savedInstanceState) {}

    public void finish() {
        finishing = true;
    }

    public boolean isFinishing() {
        return finishing;
    }

    public Intent getIntent() {
        return intent;
    }

    public void setIntent(Intent newIntent) {
        intent = newIntent;
    }

    public final void requestPermissions(String[] permissions, int requestCode) {
        Phone.asked.addAll(java.util.List.of(permissions));
    }
}
