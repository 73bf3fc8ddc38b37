/* The module vero_deliver.speedups._speedups. */

#include "speedups.h"

#ifndef SOURCES
#define SOURCES "" /* hatch_build.py names them */
#endif

static PyMethodDef methods[] = {
    {"collect", (PyCFunction)(void (*)(void))collect, METH_FASTCALL, NULL},
    {"encode", (PyCFunction)(void (*)(void))encode, METH_FASTCALL, NULL},
    {"figures", figures, METH_VARARGS, NULL},
    {"modified", modified, METH_O, NULL},
    {"relaxed_fields", relaxed_fields, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int
set_up(PyObject *module)
{
    set_up_text();
    if (PyModule_AddStringConstant(module, "SOURCES", SOURCES) < 0) {
        return -1;
    }
    PyObject *type = program_type();
    int failed = type == NULL ? -1 : PyModule_AddObjectRef(module, "Program", type);
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, set_up},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_speedups", "See vero_deliver.speedups.", 0, methods, slots, NULL, NULL,
    NULL,
};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    return PyModuleDef_Init(&definition);
}
