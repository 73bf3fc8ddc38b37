/* Header fields in the form that a DKIM signature covers. */

#include "speedups.h"

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

PyObject *
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
