/* The short ways of rendering and signing, compiled.

   Every function here does for common input, byte for byte, what a Python function does for all
   input, and leaves the rest to that function. __init__.py says which stands for which. Only
   CPython's limited API is used, so that one build serves every version from 3.11 on. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define COLUMNS 76 /* RFC 2045 section 6.7, rule 5 */

/* ---- text ---- */

#define EACH(byte) (0x0101010101010101ULL * (byte))
#define HIGH EACH(0x80)

/* A word with the high bit set for each byte of eight that is not 0x20 to 0x7e, or that is `but`.
   More bits may be set above the lowest one that is. */
static inline uint64_t
odd_bytes(uint64_t eight, uint64_t but)
{
    uint64_t delete = eight ^ EACH(0x7f), unwanted = eight ^ but;
    return ((eight - EACH(0x20)) | eight | (delete - EACH(1)) | (unwanted - EACH(1))) & HIGH;
}

/* How many bytes from the start are printable ASCII other than `but`; 0x7f for none. */
static Py_ssize_t
plain_span(const char *text, Py_ssize_t size, unsigned char but)
{
    Py_ssize_t at = 0;
    uint64_t eight;
    for (; at + 8 <= size; at += 8) {
        memcpy(&eight, text + at, 8);
        if (odd_bytes(eight, EACH(but))) {
            break;
        }
    }
    for (; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte < 0x20 || byte >= 0x7f || byte == but) {
            break;
        }
    }
    return at;
}

/* Whether render.clean.is_clean says so; 0 for lone surrogates too. */
static int
is_clean(PyObject *value)
{
    Py_ssize_t size, at = 0;
    const unsigned char *text = (const unsigned char *)PyUnicode_AsUTF8AndSize(value, &size);
    if (text == NULL) {
        PyErr_Clear();
        return 0;
    }
    while (1) {
        at += plain_span((const char *)text + at, size - at, 0x7f);
        if (at >= size) {
            return 1;
        }
        unsigned char byte = text[at];
        if (byte < 0x20 ? byte != '\t' && byte != '\n' && byte != '\r' : byte == 0x7f) {
            return 0;
        }
        if (byte == 0xc2 && text[at + 1] < 0xa0) { /* U+0080 to U+009F */
            return 0;
        }
        if (byte == 0xef && text[at + 1] == 0xbf && text[at + 2] >= 0xbe) { /* U+FFFE, U+FFFF */
            return 0;
        }
        at++;
    }
}

PyDoc_STRVAR(collect_doc, "collect(run, pieces, most, /)\n--\n\nSee vero_deliver.speedups.");

static PyObject *
collect(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyIter_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "collect: expected an iterator, a list and a number");
        return NULL;
    }
    Py_ssize_t most = PyLong_AsSsize_t(args[2]), printed = 0;
    if (most == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int clean = 1;
    PyObject *group;
    while (printed <= most && (group = PyIter_Next(args[0])) != NULL) {
        Py_ssize_t size = PyTuple_CheckExact(group) ? PyTuple_Size(group) : -1;
        if (size < 0) {
            PyErr_SetString(PyExc_TypeError, "collect: expected tuples");
        }
        for (Py_ssize_t at = 0; at < size; at++) {
            PyObject *piece = PyTuple_GetItem(group, at);
            if (!PyUnicode_Check(piece)) {
                PyErr_SetString(PyExc_TypeError, "collect: expected tuples of str");
                break;
            }
            printed += PyUnicode_GetLength(piece);
            if (at & 1 && clean) {
                clean = is_clean(piece);
            }
            if (PyList_Append(args[1], piece) < 0) {
                break;
            }
        }
        Py_DECREF(group);
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    return Py_BuildValue("nO", printed, clean ? Py_True : Py_False);
}

/* ---- quoted-printable ---- */

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

PyDoc_STRVAR(encode_doc, "encode(pieces, known, odd, /)\n--\n\nSee vero_deliver.speedups.");

static PyObject *
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

/* ---- sums of money ---- */

typedef struct {
    Py_ssize_t size;
    char text[40];
} Affix;

typedef struct {
    int decimals;
    Affix prefix, suffix, group, point;
} Figures;

static char *
put(char *to, const Affix *affix)
{
    memcpy(to, affix->text, (size_t)affix->size);
    return to + affix->size;
}

/* The amount in units of its last decimal; 0 where that is not sure. */
static int64_t
in_units(PyObject *value, int decimals)
{
    static const int64_t tens[] = {1, 10, 100, 1000};
    if (PyFloat_CheckExact(value)) {
        double amount = PyFloat_AsDouble(value);
        if (!(amount > 0 && amount < 1e9)) {
            return 0;
        }
        double rest = fmod(amount * (double)(10 * tens[decimals]), 10);
        if (rest > 4.9 && rest < 5.1) { /* perhaps a tie */
            return 0;
        }
        /* the product is off by less than a hundredth, and a tie is further away */
        return (int64_t)floor(amount * (double)tens[decimals] + 0.5);
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long amount = PyLong_AsLongLongAndOverflow(value, &overflow);
        return overflow || amount <= 0 || amount >= 1000000000 ? 0 : amount * tens[decimals];
    }
    return 0;
}

PyDoc_STRVAR(write_doc, "write(value, /)\n--\n\nSee vero_deliver.speedups.");

static PyObject *
write_figure(PyObject *self, PyObject *value)
{
    const Figures *figures = (const Figures *)PyBytes_AsString(self);
    if (figures == NULL) {
        return NULL;
    }
    int64_t units = in_units(value, figures->decimals);
    char digits[24], text[5 * sizeof(Affix)], *to = text;
    int length = 0, decimals = figures->decimals;
    if (units == 0) {
        /* an amount that rounds to nothing is left to the other way too */
        return PyUnicode_FromStringAndSize("", 0);
    }
    for (; units || length <= decimals; units /= 10) { /* the last digit first */
        digits[length++] = (char)('0' + units % 10);
    }
    to = put(to, &figures->prefix);
    for (int at = length - 1; at >= 0; at--) {
        *to++ = digits[at];
        if (at > decimals && (at - decimals) % 3 == 0) {
            to = put(to, &figures->group);
        }
        if (at == decimals && decimals > 0) {
            to = put(to, &figures->point);
        }
    }
    to = put(to, &figures->suffix);
    return PyUnicode_FromStringAndSize(text, to - text);
}

static PyMethodDef write_method = {"write", write_figure, METH_O, write_doc};

PyDoc_STRVAR(figures_doc, "figures(decimals, group, point, prefix, suffix, /)\n--\n\nSee vero_deliver.speedups.");

static PyObject *
figures(PyObject *module, PyObject *args)
{
    Figures made;
    memset(&made, 0, sizeof(made));
    Affix *affixes[] = {&made.group, &made.point, &made.prefix, &made.suffix};
    const char *texts[4];
    Py_ssize_t sizes[4];
    if (!PyArg_ParseTuple(args, "is#s#s#s#", &made.decimals, &texts[0], &sizes[0], &texts[1],
                          &sizes[1], &texts[2], &sizes[2], &texts[3], &sizes[3])) {
        return NULL;
    }
    if (made.decimals < 0 || made.decimals > 3) {
        PyErr_SetString(PyExc_ValueError, "figures: expected 0 to 3 decimals");
        return NULL;
    }
    for (int at = 0; at < 4; at++) {
        /* group stands in a number up to twice */
        if (sizes[at] > (Py_ssize_t)sizeof(made.prefix.text) / (at == 0 ? 4 : 1)) {
            Py_RETURN_NONE;
        }
        affixes[at]->size = sizes[at];
        memcpy(affixes[at]->text, texts[at], (size_t)sizes[at]);
    }
    PyObject *self = PyBytes_FromStringAndSize((const char *)&made, sizeof(made));
    PyObject *write = self == NULL ? NULL : PyCFunction_NewEx(&write_method, self, NULL);
    Py_XDECREF(self);
    (void)module;
    return write;
}

/* ---- header fields ---- */

/* The name, of whose folds, where there are any, a bare LF is left as in canonical.header_fields. */
static PyObject *
named(const char *name, const char *end, char *to)
{
    char *start = to;
    for (; name < end; name++) {
        if (*name != '\r') {
            *to++ = *name;
        }
    }
    return PyBytes_FromStringAndSize(start, to - start);
}

/* The value unfolded and with single spaces, none at its ends (RFC 6376 section 3.4.2). */
static PyObject *
relaxed(const char *value, const char *end, char *to)
{
    char *start = to;
    for (; value < end; value++) {
        if (*value == ' ' || *value == '\t') {
            if (to > start && to[-1] != ' ') {
                *to++ = ' ';
            }
        }
        else if (*value != '\r' && *value != '\n') {
            *to++ = *value;
        }
    }
    if (to > start && to[-1] == ' ') {
        to--;
    }
    return PyBytes_FromStringAndSize(start, to - start);
}

/* The end of the field that starts here: its last CRLF, or the head's end. NULL where a line ends
   in anything else. */
static const char *
field_end(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (*at == '\n') {
            return NULL;
        }
        if (*at == '\r') {
            if (at + 1 == end || at[1] != '\n') {
                return NULL;
            }
            if (at + 2 == end || (at[2] != ' ' && at[2] != '\t')) {
                return at;
            }
            at++; /* a fold */
        }
    }
    return end;
}

PyDoc_STRVAR(relaxed_fields_doc, "relaxed_fields(head, /)\n--\n\nSee vero_deliver.speedups.");

static PyObject *
relaxed_fields(PyObject *Py_UNUSED(module), PyObject *head)
{
    char *text;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(head, &text, &size) < 0) {
        return NULL;
    }
    const char *at = text, *end = text + size;
    char *scratch = PyMem_Malloc((size_t)size + 1);
    PyObject *names = PyList_New(0), *values = PyList_New(0), *result = NULL;
    if (scratch == NULL || names == NULL || values == NULL) {
        goto done;
    }
    while (1) {
        const char *stop = field_end(at, end);
        if (stop == NULL) {
            result = Py_NewRef(Py_None);
            goto done;
        }
        const char *colon = memchr(at, ':', (size_t)(stop - at));
        const char *name_end = colon == NULL ? stop : colon;
        PyObject *name = named(at, name_end, scratch);
        PyObject *value = relaxed(colon == NULL ? stop : colon + 1, stop, scratch);
        int failed = name == NULL || value == NULL || PyList_Append(names, name) < 0 ||
                     PyList_Append(values, value) < 0;
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (failed) {
            goto done;
        }
        if (stop == end) {
            break;
        }
        at = stop + 2;
    }
    PyObject *listed = PyList_AsTuple(names);
    result = listed == NULL ? NULL : PyTuple_Pack(2, listed, values);
    Py_XDECREF(listed);
done:
    PyMem_Free(scratch);
    Py_XDECREF(names);
    Py_XDECREF(values);
    if (result == NULL && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return result;
}

/* ---- the module ---- */

static PyMethodDef methods[] = {
    {"collect", (PyCFunction)(void (*)(void))collect, METH_FASTCALL, collect_doc},
    {"encode", (PyCFunction)(void (*)(void))encode, METH_FASTCALL, encode_doc},
    {"figures", figures, METH_VARARGS, figures_doc},
    {"relaxed_fields", relaxed_fields, METH_O, relaxed_fields_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_speedups", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    return PyModuleDef_Init(&definition);
}
