package com.example.shop.push

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URL

/** The few requests of push; each blocks for some seconds at most, so never on the main thread. */
object PushHttp {
    private const val TIMEOUT = 5_000 // milliseconds
    private const val LARGEST = 5_000_000 // bytes of a picture

    /** The status; null where nobody answered. */
    fun send(method: String, url: String, type: String, body: String): Int? = try {
        val connection = open(url)
        connection.requestMethod = method
        connection.doOutput = true
        connection.setRequestProperty("Content-Type", type)
        try {
            connection.outputStream.use { it.write(body.toByteArray()) }
            connection.responseCode
        } finally {
            connection.disconnect()
        }
    } catch (_: IOException) {
        null
    }

    /** What is at the URL; null where it cannot be had, is too large or not on the web. */
    fun download(url: String): ByteArray? = try {
        val connection = open(url)
        try {
            val bytes = connection.inputStream.use { it.readNBytesCompat(LARGEST + 1) }
            bytes.takeIf { it.size <= LARGEST }
        } finally {
            connection.disconnect()
        }
    } catch (_: IOException) {
        null
    }

    private fun open(url: String): HttpURLConnection {
        val connection = URL(url).openConnection() as? HttpURLConnection
            ?: throw IOException("neither http nor https: $url")
        connection.connectTimeout = TIMEOUT
        connection.readTimeout = TIMEOUT
        return connection
    }

    /** InputStream.readNBytes, which Android has only since API 33. */
    private fun InputStream.readNBytesCompat(most: Int): ByteArray {
        val out = ByteArrayOutputStream()
        val buffer = ByteArray(16_384)
        while (out.size() < most) {
            val count = read(buffer, 0, minOf(buffer.size, most - out.size()))
            if (count < 0) break
            out.write(buffer, 0, count)
        }
        return out.toByteArray()
    }
}
