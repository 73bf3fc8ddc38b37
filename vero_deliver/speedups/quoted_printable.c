/* Quoted-printable from the pieces of a template. */

#include "speedups.h"

#define COLUMNS 76 /* RFC 2045 section 6.7, rule 5 */

typedef struct {
    char *start;
    Py_ssize_t size, room;
} Buffer;

/* Where to write so many bytes more; NULL with MemoryError set where there is no room for them. */
static char *
grown(Buffer *buffer, Py_ssize_t more)
{
    if (buffer->size + more > buffer->room) {
        Py_ssize_t room = 2 * buffer->room + more;
        char *start = PyMem_Realloc(buffer->start, (size_t)room);
        if (start == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        buffer->start = start;
        buffer->room = room;
    }
    return buffer->start + buffer->size;
}

static int
append(Buffer *buffer, const char *text, Py_ssize_t size)
{
    char *to = grown(buffer, size);
    if (to == NULL) {
        return -1;
    }
    memcpy(to, text, (size_t)size);
    buffer->size += size;
    return 0;
}

static int
append_text(Buffer *buffer, PyObject *text)
{
    Py_ssize_t size;
    const char *start = PyUnicode_AsUTF8AndSize(text, &size);
    return start == NULL ? -1 : append(buffer, start, size);
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
append_value(Buffer *buffer, PyObject *value, PyObject *odd)
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
        char *to = grown(buffer, COLUMNS + 2);
        Py_ssize_t written = to == NULL ? 0 : one_line(text, size, to);
        if (to == NULL || written) {
            buffer->size += written;
            return to == NULL ? -1 : 0;
        }
    }
    PyObject *encoded = PyObject_CallFunctionObjArgs(odd, value, NULL);
    int failed = encoded == NULL ? -1 : append_text(buffer, encoded);
    Py_XDECREF(encoded);
    return failed;
}

static int
append_constant(Buffer *buffer, PyObject *text, PyObject *known)
{
    PyObject *encoded = PyDict_GetItemWithError(known, text);
    if (encoded == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, text);
        }
        return -1;
    }
    return append_text(buffer, encoded);
}

PyObject *
encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyList_Check(args[0]) || !PyDict_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "encode: expected a list, a dict and a function");
        return NULL;
    }
    Buffer buffer = {PyMem_Malloc(1 << 15), 0, 1 << 15};
    if (buffer.start == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *result = NULL;
    for (Py_ssize_t at = 0; at < PyList_Size(args[0]); at++) {
        PyObject *piece = PyList_GetItem(args[0], at);
        int failed = at & 1 ? append_value(&buffer, piece, args[2])
                            : append_constant(&buffer, piece, args[1]);
        if (failed) {
            goto done;
        }
    }
    Py_ssize_t size = buffer.size;
    if (size == 0 || (size >= 3 && memcmp(buffer.start + size - 3, "=\r\n", 3) == 0)) {
        if (append(&buffer, "\r\n", 2) < 0) {
            goto done;
        }
    }
    result = PyBytes_FromStringAndSize(buffer.start, buffer.size);
done:
    PyMem_Free(buffer.start);
    return result;
}
