/* Pieces out of the run of a template, and whether they are clean. */

#include "speedups.h"

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
        Py_ssize_t size = PyTuple_CheckExact(group) ? PyTuple_GET_SIZE(group) : -1;
        if (size < 0) {
            PyErr_SetString(PyExc_TypeError, "collect: expected tuples");
        }
        for (Py_ssize_t at = 0; at < size; at++) {
            PyObject *piece = PyTuple_GET_ITEM(group, at);
            if (!PyUnicode_Check(piece)) {
                PyErr_SetString(PyExc_TypeError, "collect: expected tuples of str");
                break;
            }
            printed += PyUnicode_GET_LENGTH(piece);
            if (at & 1 && clean) {
                clean = !(looked_through(piece) & DIRTY);
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
