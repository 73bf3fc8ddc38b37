package com.example.shop.push

import org.json.JSONArray
import org.json.JSONException

/** A push of Vero Deliver, version 1 of the payload contract. */
class PushPayload private constructor(val fields: Map<String, String>) {
    val id: String = fields.getValue("vd_id")
    val report: String? = fields["vd_report"]
    val title: String? = fields["vd_title"]
    val subtitle: String? = fields["vd_subtitle"]
    val body: String? = fields["vd_body"]
    val link: String? = fields["vd_link"]
    val image: String? = fields["vd_image"]
    val category: String? = fields["vd_category"]
    val badge: Int? = fields["vd_badge"]?.toIntOrNull()
    val actions: List<Action> = actionsOf(fields["vd_actions"])

    /** What a later push of the same name replaces. */
    val tag: String = fields["vd_collapse"] ?: id

    /** The message's own data. */
    val data: Map<String, String> = fields.filterKeys { !it.startsWith("vd_") }

    data class Action(val id: String, val title: String, val link: String?)

    companion object {
        /** Null for a push that is somebody else's. */
        fun from(fields: Map<String, String?>): PushPayload? {
            if (fields["vd_v"] != "1" || fields["vd_id"].isNullOrEmpty()) return null
            return PushPayload(fields.mapNotNull { (name, value) -> value?.let { name to it } }.toMap())
        }

        private fun actionsOf(json: String?): List<Action> = try {
            val found = JSONArray(json ?: "[]")
            (0 until found.length()).mapNotNull { found.optJSONObject(it) }.map {
                Action(it.getString("id"), it.getString("title"), it.optString("link").ifEmpty { null })
            }
        } catch (_: JSONException) {
            emptyList()
        }
    }
}
