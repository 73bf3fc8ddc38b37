package com.example.shop;

public final class R {
    public static final class drawable {
        public static final int ic_push = 1;
    }
}
