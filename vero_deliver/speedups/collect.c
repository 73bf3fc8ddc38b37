/* Pieces out of the run of a template, and whether they are clean. */

#include "speedups.h"

int
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

PyObject *
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
