/* The statements of programs. */

#include "program.h"

/* The value as it is printed; takes the reference. */
static PyObject *
printed(PyObject *value, Run *run)
{
    const Program *program = run->program;
    PyObject *text = NULL;
    if (PyUnicode_CheckExact(value)) {
        text = Py_NewRef(value);
    }
    else if (is_number(value)) {
        text = PyObject_Str(value);
    }
    else if (is_plain(value, run)) {
        text = PyObject_CallOneArg(program->text, value);
    }
    int is_final = !PyUnicode_CheckExact(value);
    Py_DECREF(value);
    if (text == NULL || !PyUnicode_CheckExact(text)) {
        Py_XDECREF(text);
        return NULL;
    }
    int found = looked_through(text);
    if (found & DIRTY) {
        run->clean = 0;
    }
    if (found & SPECIAL && !is_final && program->escapes) {
        PyObject *plain = text;
        text = escaped(plain);
        Py_DECREF(plain);
    }
    return text;
}

static int
put(PyObject *piece, Run *run)
{
    run->printed += PyUnicode_GET_LENGTH(piece);
    return run->printed > run->most ? -1 : PyList_Append(run->pieces, piece);
}

static int
print_all(const Node *node, Run *run)
{
    for (Py_ssize_t at = 0; at + 1 < node->count; at += 2) {
        if (put(node->children[at]->value, run) < 0) {
            return -1;
        }
        const Node *child = node->children[at + 1];
        if (child->kind == CONSTANT) { /* the empty text where two constants would meet */
            if (put(child->value, run) < 0) {
                return -1;
            }
            continue;
        }
        PyObject *value = evaluated(child, run);
        PyObject *text = value == NULL ? NULL : printed(value, run);
        int failed = text == NULL ? -1 : put(text, run);
        Py_XDECREF(text);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static void
keep(Run *run, Py_ssize_t place, PyObject *value)
{
    PyObject *former = run->locals[place];
    run->locals[place] = value;
    Py_XDECREF(former);
}

static int
each_of(const Node *node, Run *run, PyObject *list)
{
    int is_list = PyList_CheckExact(list);
    Py_ssize_t loop = PyLong_AsSsize_t(node->value);
    Py_ssize_t length = is_list ? PyList_GET_SIZE(list) : PyTuple_GET_SIZE(list);
    run->loops[loop].length = length;
    for (Py_ssize_t at = 0; at < length; at++) {
        if (is_list && PyList_GET_SIZE(list) != length) {
            return -1; /* somebody changed it */
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
        run->loops[loop].at = at;
        keep(run, node->number,
             Py_NewRef(is_list ? PyList_GET_ITEM(list, at) : PyTuple_GET_ITEM(list, at)));
        if (done(node->children[1], run) < 0) {
            return -1;
        }
    }
    return length == 0 ? done(node->children[2], run) : 0;
}

int
done(const Node *node, Run *run)
{
    PyObject *value;
    int found;
    switch (node->kind) {
    case PRINT:
        return print_all(node, run);
    case WHEN:
        found = holds(node->children[0], run);
        return found < 0 ? -1 : done(node->children[found ? 1 : 2], run);
    case EACH_OF:
        value = evaluated(node->children[0], run);
        found = value != NULL && (PyList_CheckExact(value) || PyTuple_CheckExact(value))
                    ? each_of(node, run, value)
                    : -1;
        Py_XDECREF(value);
        return found;
    case KEEP:
        value = evaluated(node->children[0], run);
        if (value == NULL) {
            return -1;
        }
        keep(run, node->number, value);
        return 0;
    case ALL:
        for (Py_ssize_t at = 0; at < node->count; at++) {
            if (done(node->children[at], run) < 0) {
                return -1;
            }
        }
        return 0;
    default:
        return -1;
    }
}
