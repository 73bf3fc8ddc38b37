/* Quoted-printable from the pieces of a template. */

#include "speedups.h"

#define COLUMNS 76          /* RFC 2045 section 6.7, rule 5 */
#define ROOM (COLUMNS + 12) /* of a line that turns out too long with its last character */

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
    int exact; /* whether the values can be told from it: no CR, no lone surrogate */
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

static Py_ssize_t
triple(char *to, unsigned int byte)
{
    static const char digits[] = "0123456789ABCDEF";
    to[0] = '=';
    to[1] = digits[byte >> 4];
    to[2] = digits[byte & 15];
    return 3;
}

/* The code point in UTF-8, quoted; the size of that. */
static Py_ssize_t
quoted(char *to, Py_UCS4 code)
{
    Py_ssize_t size = 0;
    if (code < 0x80) {
        return triple(to, code);
    }
    if (code < 0x800) {
        size += triple(to, 0xc0 | code >> 6);
    }
    else if (code < 0x10000) {
        size += triple(to, 0xe0 | code >> 12);
        size += triple(to + size, 0x80 | (code >> 6 & 0x3f));
    }
    else {
        size += triple(to, 0xf0 | code >> 18);
        size += triple(to + size, 0x80 | (code >> 12 & 0x3f));
        size += triple(to + size, 0x80 | (code >> 6 & 0x3f));
    }
    return size + triple(to + size, 0x80 | (code & 0x3f));
}

/* The value encoded on one line with a soft break behind it, as chunks._value has it; its size, or
   0 where that function has to look at it. to: room for ROOM. */
static Py_ssize_t
one_line(PyObject *value, char *to)
{
    const void *data = PyUnicode_DATA(value);
    Py_ssize_t size = PyUnicode_GET_LENGTH(value), length = 0, at = 0;
    int kind = PyUnicode_KIND(value), ascii = PyUnicode_MAX_CHAR_VALUE(value) < 0x80;
    if (size >= COLUMNS) {
        return 0;
    }
    while (length < COLUMNS) {
        if (ascii) {
            Py_ssize_t span = plain_span((const char *)data + at, size - at, '=');
            if (length + span >= COLUMNS) {
                return 0;
            }
            memcpy(to + length, (const char *)data + at, (size_t)span);
            length += span;
            at += span;
        }
        if (at >= size) {
            break;
        }
        Py_UCS4 code = PyUnicode_READ(kind, data, at);
        at++;
        if (code < 0x20 || code == 0x7f || (code >= 0xd800 && code <= 0xdfff)) {
            return 0;
        }
        /* a blank at the end of other than ASCII is quoted by binascii.b2a_qp */
        if (code >= 0x80 || code == '=' || (code == ' ' && !ascii && at == size)) {
            length += quoted(to + length, code);
        }
        else {
            to[length++] = (char)code;
        }
    }
    if (length >= COLUMNS || (length >= 5 && memcmp(to, "From ", 5) == 0)) {
        return 0;
    }
    memcpy(to + length, "=\r\n", 3);
    return length + 3;
}

/* Lines being written: `to` is where the next one begins, `line` what it holds so far. */
typedef struct {
    char *to;
    char line[COLUMNS + 4];
    Py_ssize_t length;
} Lines;

/* Write the line out, after it a soft break where it goes on; where its last physical line began.
   mbox writers turn "From " into ">From ": see body.quoted_printable. */
static char *
written(Lines *lines, int goes_on)
{
    char *start = lines->to;
    Py_ssize_t skipped = 0;
    if (lines->length >= 5 && memcmp(lines->line, "From ", 5) == 0) {
        memcpy(lines->to, "=46rom", 6);
        lines->to += 6;
        skipped = 4;
        if (6 + lines->length - skipped + goes_on > COLUMNS) {
            memcpy(lines->to, "=\r\n", 3);
            lines->to += 3;
            start = lines->to;
        }
    }
    memcpy(lines->to, lines->line + skipped, (size_t)(lines->length - skipped));
    lines->to += lines->length - skipped;
    lines->length = 0;
    if (goes_on) {
        memcpy(lines->to, "=\r\n", 3);
        lines->to += 3;
    }
    return start;
}

/* The value encoded on as many lines as it needs, with a soft break behind it, as chunks._open has
   it; its size, or 0 where that function has to look at it. to: room for 4 * size + ROOM. */
static Py_ssize_t
on_lines(const char *text, Py_ssize_t size, char *to)
{
    Lines lines = {.to = to};
    for (Py_ssize_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        int is_last = at + 1 == size;
        if (byte < 0x20 || byte == 0x7f) {
            return 0;
        }
        if (byte > 0x7f || byte == '=' || (byte == '.' && lines.length == 0 && is_last)) {
            if (lines.length + 3 >= COLUMNS) {
                written(&lines, 1);
            }
            lines.length += triple(lines.line + lines.length, byte);
        }
        else {
            if (!is_last && lines.length + 1 >= COLUMNS) {
                written(&lines, 1);
            }
            lines.line[lines.length++] = (char)byte;
        }
    }
    if (text[size - 1] == ' ') {
        lines.length--;
        if (lines.length >= COLUMNS - 2) {
            written(&lines, 1);
        }
        lines.length += triple(lines.line + lines.length, ' ');
    }
    char *start = written(&lines, 0);
    if (lines.to - start == COLUMNS) { /* no room for the soft break */
        Py_ssize_t last = lines.to[-3] == '=' ? 3 : 1;
        memmove(lines.to - last + 3, lines.to - last, (size_t)last);
        memcpy(lines.to - last, "=\r\n", 3);
        lines.to += 3;
    }
    memcpy(lines.to, "=\r\n", 3);
    return lines.to + 3 - to;
}

/* The value encoded in C where it is no more than text; its size in the scratch, 0 where it is
   more, -1 with an error set. */
static Py_ssize_t
text_value(Encoding *encoding, PyObject *value)
{
    char *to = scratch(encoding, ROOM);
    Py_ssize_t size = to == NULL ? -1 : one_line(value, to), length;
    if (size != 0) {
        return size;
    }
    const char *text = utf8(value, &length);
    if (text == NULL) { /* lone surrogates */
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return -1;
        }
        PyErr_Clear();
        encoding->exact = 0;
        return 0;
    }
    if (encoding->exact && memchr(text, '\r', (size_t)length) != NULL) {
        encoding->exact = 0;
    }
    to = scratch(encoding, 4 * length + ROOM);
    return to == NULL ? -1 : on_lines(text, length, to);
}

static int
add_value(Encoding *encoding, PyObject *value, PyObject *odd)
{
    if (PyUnicode_GET_LENGTH(value) == 0) {
        return 0;
    }
    Py_ssize_t size = text_value(encoding, value);
    if (size == 0) {
        char *to;
        PyObject *encoded = PyObject_CallOneArg(odd, value);
        const char *text = encoded == NULL ? NULL : PyUnicode_AsUTF8AndSize(encoded, &size);
        to = text == NULL ? NULL : scratch(encoding, size);
        if (to != NULL) {
            memcpy(to, text, (size_t)size);
        }
        size = to == NULL ? -1 : size;
        Py_XDECREF(encoded);
    }
    if (size < 0) {
        return -1;
    }
    encoding->used += size;
    add(encoding, NULL, size);
    return 0;
}

static int
add_constant(Encoding *encoding, PyObject *constant, PyObject *known)
{
    Py_ssize_t size;
    PyObject *encoded = PyDict_GetItemWithError(known, constant);
    const char *text =
        encoded == NULL || !PyUnicode_Check(encoded) ? NULL : utf8(encoded, &size);
    if (text != NULL) {
        add(encoding, text, size);
        return 0;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, constant);
    }
    return -1;
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
    Py_ssize_t pieces = PyList_GET_SIZE(args[0]);
    Encoding encoding = {.parts = PyMem_Malloc((size_t)(pieces + 1) * sizeof(Part)), .exact = 1};
    PyObject *encoded = NULL, *result = NULL;
    int failed = encoding.parts == NULL;
    if (failed) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t at = 0; at < pieces && !failed; at++) {
        if (PyList_GET_SIZE(args[0]) != pieces || !PyUnicode_Check(PyList_GET_ITEM(args[0], at))) {
            PyErr_SetString(PyExc_TypeError, "encode: expected texts");
            failed = -1;
            break;
        }
        PyObject *piece = Py_NewRef(PyList_GET_ITEM(args[0], at));
        failed = at & 1 ? add_value(&encoding, piece, args[2])
                        : add_constant(&encoding, piece, args[1]);
        Py_DECREF(piece);
    }
    if (!failed) {
        encoded = joined(&encoding);
    }
    if (encoded != NULL) {
        result = PyTuple_Pack(2, encoded, encoding.exact ? Py_True : Py_False);
        Py_DECREF(encoded);
    }
    PyMem_Free(encoding.parts);
    PyMem_Free(encoding.scratch);
    return result;
}
