/* What the characters of a text ask for. */

#include "speedups.h"

#define SHORT 400   /* characters of a text that is escaped on the stack */
#define REFERENCE 5 /* characters of the longest reference */

static const char *references[128];

void
set_up_text(void)
{
    references['&'] = "&amp;"; /* as markupsafe writes them */
    references['<'] = "&lt;";
    references['>'] = "&gt;";
    references['"'] = "&#34;";
    references['\''] = "&#39;";
}

/* The test of every character, without a branch: compilers make it many at a time. */
#define SPECIAL_IN(code) \
    (((code) == '&') | ((code) == '<') | ((code) == '>') | ((code) == '"') | ((code) == '\''))
#define CONTROL_IN(code) \
    ((((code) < 0x20) & ((code) != '\t') & ((code) != '\n') & ((code) != '\r')) | \
     (((code) > 0x7e) & ((code) < 0xa0)))

int
looked_through(PyObject *text)
{
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    unsigned char special = 0, dirty = 0;
    if (kind == PyUnicode_1BYTE_KIND) {
        const unsigned char *bytes = data;
        for (Py_ssize_t at = 0; at < length; at++) {
            special |= (unsigned char)SPECIAL_IN(bytes[at]);
            dirty |= (unsigned char)CONTROL_IN(bytes[at]);
        }
    }
    else {
        for (Py_ssize_t at = 0; at < length; at++) {
            Py_UCS4 code = PyUnicode_READ(kind, data, at);
            special |= (unsigned char)SPECIAL_IN(code);
            dirty |= (unsigned char)(CONTROL_IN(code) | (code >= 0xd800 && code <= 0xdfff) |
                                     (code == 0xfffe) | (code == 0xffff));
        }
    }
    return (special ? SPECIAL : 0) | (dirty ? DIRTY : 0);
}

/* escaped() of a short text whose characters are bytes. */
static PyObject *
escaped_bytes(const unsigned char *from, Py_ssize_t length, Py_UCS4 highest)
{
    unsigned char written[SHORT * REFERENCE], *to = written;
    for (Py_ssize_t at = 0; at < length; at++) {
        const char *reference = from[at] < 128 ? references[from[at]] : NULL;
        if (reference == NULL) {
            *to++ = from[at];
        }
        else {
            size_t size = strlen(reference);
            memcpy(to, reference, size);
            to += size;
        }
    }
    PyObject *result = PyUnicode_New(to - written, highest);
    if (result != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(result), written, (size_t)(to - written));
    }
    return result;
}

PyObject *
escaped(PyObject *text)
{
    const void *from = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), longer = length, to = 0;
    int kind = PyUnicode_KIND(text);
    Py_UCS4 highest = PyUnicode_MAX_CHAR_VALUE(text);
    if (kind == PyUnicode_1BYTE_KIND && length <= SHORT) {
        return escaped_bytes(from, length, highest);
    }
    for (Py_ssize_t at = 0; at < length; at++) {
        Py_UCS4 code = PyUnicode_READ(kind, from, at);
        if (code < 128 && references[code] != NULL) {
            longer += (Py_ssize_t)strlen(references[code]) - 1;
        }
    }
    PyObject *result = PyUnicode_New(longer, highest);
    if (result == NULL) {
        return NULL;
    }
    void *data = PyUnicode_DATA(result);
    for (Py_ssize_t at = 0; at < length; at++) {
        Py_UCS4 code = PyUnicode_READ(kind, from, at);
        if (code >= 128 || references[code] == NULL) {
            PyUnicode_WRITE(kind, data, to, code);
            to++;
            continue;
        }
        for (const char *next = references[code]; *next; next++, to++) {
            PyUnicode_WRITE(kind, data, to, (Py_UCS4)(unsigned char)*next);
        }
    }
    return result;
}
