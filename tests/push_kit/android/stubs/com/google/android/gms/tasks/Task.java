package com.google.android.gms.tasks;

public class Task<T> {
    private final T result;

    public Task(T result) {
        this.result = result;
    }

    public Task<T> addOnSuccessListener(OnSuccessListener<? super T> listener) {
        listener.onSuccess(result);
        return this;
    }
}
