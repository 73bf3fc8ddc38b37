/* Quoted-printable from the pieces of a template. */

#include "speedups.h"

#define COLUMNS 76 /* RFC 2045 section 6.7, rule 5 */

/* A part of the result: of a constant where it lies, of a value in the scratch. */
typedef struct {
    const char *text; /* NULL where it is in the scratch */
    Py_ssize_t size;
} Part;

typedef struct {
    Part *parts;
    Py_ssize_t count;
    char *scratch; /* what the values are encoded as, one after the other */
    Py_ssize_t used, room;
    Py_ssize_t total;
} Encoding;

static void
add(Encoding *encoding, const char *text, Py_ssize_t size)
{
    encoding->parts[encoding->count++] = (Part){text, size};
    encoding->total += size;
}

/* Where the scratch has so much room; NULL with MemoryError set where there is none to be had. */
static char *
scratch(Encoding *encoding, Py_ssize_t more)
{
    if (encoding->used + more > encoding->room) {
        Py_ssize_t room = 2 * encoding->room + more;
        char *grown = PyMem_Realloc(encoding->scratch, (size_t)room);
        if (grown == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        encoding->scratch = grown;
        encoding->room = room;
    }
    return encoding->scratch + encoding->used;
}

/* The value encoded on one line with a soft break behind it, as chunks._value has it; its size, or
   0 where that function has to look at it. to: room for COLUMNS + 2. */
static Py_ssize_t
one_line(const char *text, Py_ssize_t size, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    Py_ssize_t length = 0, at = 0;
    int ascii = 1;
    if (size >= COLUMNS || (size >= 5 && memcmp(text, "From ", 5) == 0)) {
        return 0;
    }
    while (1) {
        Py_ssize_t span = plain_span(text + at, size - at, '=');
        if (length + span >= COLUMNS) {
            return 0;
        }
        memcpy(to + length, text + at, (size_t)span);
        length += span;
        at += span;
        if (at >= size) {
            break;
        }
        unsigned char byte = (unsigned char)text[at++];
        if ((byte < 0x80 && byte != '=') || length + 3 >= COLUMNS) {
            return 0;
        }
        ascii &= byte < 0x80;
        to[length++] = '=';
        to[length++] = digits[byte >> 4];
        to[length++] = digits[byte & 15];
    }
    if (!ascii && to[length - 1] == ' ') { /* as binascii.b2a_qp writes it */
        if (length + 2 >= COLUMNS) {
            return 0;
        }
        memcpy(to + length - 1, "=20", 3);
        length += 2;
    }
    memcpy(to + length, "=\r\n", 3);
    return length + 3;
}

static int
add_value(Encoding *encoding, PyObject *value, PyObject *odd)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    else if (size == 0) {
        return 0;
    }
    else {
        char *to = scratch(encoding, COLUMNS + 2);
        if (to == NULL) {
            return -1;
        }
        Py_ssize_t written = one_line(text, size, to);
        if (written) {
            encoding->used += written;
            add(encoding, NULL, written);
            return 0;
        }
    }
    PyObject *encoded = PyObject_CallFunctionObjArgs(odd, value, NULL);
    text = encoded == NULL ? NULL : PyUnicode_AsUTF8AndSize(encoded, &size);
    char *to = text == NULL ? NULL : scratch(encoding, size);
    if (to != NULL) {
        memcpy(to, text, (size_t)size);
        encoding->used += size;
        add(encoding, NULL, size);
    }
    Py_XDECREF(encoded);
    return to == NULL ? -1 : 0;
}

static int
add_constant(Encoding *encoding, PyObject *constant, PyObject *known)
{
    Py_ssize_t size;
    PyObject *encoded = PyDict_GetItemWithError(known, constant);
    const char *text = encoded == NULL ? NULL : PyUnicode_AsUTF8AndSize(encoded, &size);
    if (text != NULL) {
        add(encoding, text, size);
        return 0;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, constant);
    }
    return -1;
}

PyObject *
reads_back(PyObject *Py_UNUSED(module), PyObject *pieces)
{
    Py_ssize_t count = PyList_Check(pieces) ? PyList_Size(pieces) : -1;
    if (count < 0) {
        PyErr_SetString(PyExc_TypeError, "reads_back: expected a list");
        return NULL;
    }
    for (Py_ssize_t at = 1; at < count; at += 2) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(PyList_GetItem(pieces, at), &size);
        if (text == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
                return NULL;
            }
            PyErr_Clear();
            Py_RETURN_FALSE;
        }
        if (memchr(text, '\r', (size_t)size) != NULL) {
            Py_RETURN_FALSE;
        }
    }
    Py_RETURN_TRUE;
}

/* Whether the last part leaves its line open. */
static int
is_open(const Encoding *encoding)
{
    for (Py_ssize_t at = encoding->count; at-- > 0;) {
        const Part *part = &encoding->parts[at];
        const char *end =
            part->text == NULL ? encoding->scratch + encoding->used : part->text + part->size;
        if (part->size > 0) {
            return part->size >= 3 && memcmp(end - 3, "=\r\n", 3) == 0;
        }
    }
    return 1;
}

/* The parts joined, with a line break at the end. */
static PyObject *
joined(const Encoding *encoding)
{
    const char *from = encoding->scratch;
    int open = is_open(encoding);
    PyObject *result = PyBytes_FromStringAndSize(NULL, encoding->total + (open ? 2 : 0));
    if (result == NULL) {
        return NULL;
    }
    char *to = PyBytes_AsString(result);
    for (Py_ssize_t at = 0; at < encoding->count; at++) {
        const Part *part = &encoding->parts[at];
        memcpy(to, part->text == NULL ? from : part->text, (size_t)part->size);
        from += part->text == NULL ? part->size : 0;
        to += part->size;
    }
    if (open) {
        memcpy(to, "\r\n", 2);
    }
    return result;
}

PyObject *
encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyList_Check(args[0]) || !PyDict_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "encode: expected a list, a dict and a function");
        return NULL;
    }
    Py_ssize_t pieces = PyList_Size(args[0]);
    Encoding encoding = {.parts = PyMem_Malloc((size_t)(pieces + 1) * sizeof(Part))};
    PyObject *result = NULL;
    int failed = encoding.parts == NULL;
    if (failed) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t at = 0; at < pieces && !failed; at++) {
        PyObject *piece = PyList_GetItem(args[0], at);
        failed = piece == NULL                 ? -1
                 : at & 1                      ? add_value(&encoding, piece, args[2])
                                               : add_constant(&encoding, piece, args[1]);
    }
    if (!failed) {
        result = joined(&encoding);
    }
    PyMem_Free(encoding.parts);
    PyMem_Free(encoding.scratch);
    return result;
}
