package com.example.shop.push

import android.content.Context
import java.io.File
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Reports wait in a file until the server has answered: the next push or tap tries again. */
object PushReports {
    private const val MOST = 100

    /** Not on the main thread. event: "delivered" or "opened". */
    @Synchronized
    fun add(context: Context, payload: PushPayload, event: String, action: String? = null) {
        val token = payload.report ?: return
        val report = JSONObject()
            .put("token", token)
            .put("event", event)
            .put("at", System.currentTimeMillis() / 1000)
        if (action != null) report.put("action", action)
        val file = fileOf(context)
        file.writeText((waiting(file) + report).takeLast(MOST).joinToString("\n"))
        flush(context)
    }

    /** Not on the main thread. Call it also when the app starts. */
    @Synchronized
    fun flush(context: Context) {
        val file = fileOf(context)
        val waiting = waiting(file)
        if (waiting.isEmpty()) return
        val status = PushHttp.send(
            "POST", PushConfig.reportsUrl, "text/plain", JSONArray(waiting).toString(),
        )
        if (status != null && status < 500 && status != 429) file.delete()
    }

    private fun fileOf(context: Context) = File(context.filesDir, "push-reports.jsonl")

    private fun waiting(file: File): List<JSONObject> {
        if (!file.exists()) return emptyList()
        return file.readLines().mapNotNull {
            try {
                JSONObject(it)
            } catch (_: JSONException) {
                null // cut off when the phone went out
            }
        }
    }
}
