/* The class Program: its tree, read from Python, and its runs. */

#include "program.h"

static void
forget(Node *node)
{
    if (node != NULL) {
        for (Py_ssize_t at = 0; at < node->count; at++) {
            forget(node->children[at]);
        }
        Py_XDECREF(node->value);
        PyMem_Free(node);
    }
}

/* What a node needs, so that running it cannot step beside it. */
static int
is_sound(const Node *node, int is_statement)
{
    static const signed char expected[KINDS] = {
        [CONSTANT] = 0, [VARIABLE] = 0, [LOCAL] = 0,     [ATTRIBUTE] = 1, [ITEM] = 1,
        [NOT] = 1,      [AND] = 2,      [OR] = 2,        [CHOICE] = 3,    [COMPARE] = 2,
        [CONTAINS] = 2, [COMPUTE] = 2,  [NEGATE] = 1,    [CALL] = -1,     [DIVISIBLE] = -1,
        [ADDRESS] = -1, [STYLE] = -1,   [QUOTE] = -1,    [MONEY] = -1,    [LOOP] = 0,
        [PRINT] = -1,   [WHEN] = 3,     [EACH_OF] = 3,   [KEEP] = 1,      [ALL] = -1,
    };
    if ((node->kind >= PRINT) != is_statement ||
        (expected[node->kind] >= 0 && expected[node->kind] != node->count)) {
        return 0;
    }
    switch (node->kind) {
    case VARIABLE:
    case ATTRIBUTE:
        return PyUnicode_CheckExact(node->value);
    case LOCAL:
    case KEEP:
        return node->number >= 0 && node->number < MOST_LOCALS;
    case CALL:
    case DIVISIBLE:
    case ADDRESS:
    case STYLE:
    case QUOTE:
    case MONEY:
        return node->number >= 0 && node->count >= 1 && node->count <= 8 && PyTuple_CheckExact(node->value) &&
               PyTuple_GET_SIZE(node->value) >= 1;
    case LOOP:
        return node->number >= 0 && node->number < MOST_LOOPS * LOOP_FACTS;
    case PRINT:
        for (Py_ssize_t at = 0; at < node->count; at++) {
            const Node *child = node->children[at];
            if ((at % 2 == 0 || child->kind == CONSTANT) &&
                !(child->kind == CONSTANT && PyUnicode_CheckExact(child->value))) {
                return 0;
            }
        }
        return node->count % 2 == 0;
    case EACH_OF: {
        Py_ssize_t loop = PyLong_CheckExact(node->value) ? PyLong_AsSsize_t(node->value) : -1;
        return node->number >= 0 && node->number < MOST_LOCALS && loop >= 0 && loop < MOST_LOOPS;
    }
    default:
        return 1;
    }
}

/* Whether a node's child is a statement. */
static int
does(Kind kind, Py_ssize_t child)
{
    return kind == ALL || (child > 0 && (kind == WHEN || kind == EACH_OF));
}

/* The node of (kind, number, value, *children); NULL with an error set. */
static Node *
parsed(PyObject *tree, int depth, int is_statement)
{
    Py_ssize_t size = PyTuple_CheckExact(tree) ? PyTuple_GET_SIZE(tree) : 0;
    long kind = size >= 3 ? PyLong_AsLong(PyTuple_GET_ITEM(tree, 0)) : -1;
    if (kind < 0 || kind >= KINDS || depth > DEEPEST) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "program: no node, or too deep a one");
        }
        return NULL;
    }
    Node *node = PyMem_Calloc(1, sizeof(Node) + (size_t)(size - 3) * sizeof(Node *));
    if (node == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    node->kind = (Kind)kind;
    node->number = PyLong_AsSsize_t(PyTuple_GET_ITEM(tree, 1));
    node->value = Py_NewRef(PyTuple_GET_ITEM(tree, 2));
    for (Py_ssize_t at = 3; at < size && !PyErr_Occurred(); at++) {
        int below = does(node->kind, at - 3);
        Node *child = parsed(PyTuple_GET_ITEM(tree, at), depth + 1, below);
        if (child != NULL) {
            node->children[node->count++] = child;
        }
    }
    if (!PyErr_Occurred() && !is_sound(node, is_statement)) {
        PyErr_SetString(PyExc_ValueError, "program: a node that cannot be run");
    }
    if (PyErr_Occurred()) {
        forget(node);
        return NULL;
    }
    return node;
}

static int
visited(const Node *node, visitproc visit, void *arg)
{
    Py_VISIT(node->value);
    for (Py_ssize_t at = 0; at < node->count; at++) {
        int found = visited(node->children[at], visit, arg);
        if (found) {
            return found;
        }
    }
    return 0;
}

static int
program_traverse(PyObject *self, visitproc visit, void *arg)
{
    const Program *program = (const Program *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(program->getattr);
    Py_VISIT(program->getitem);
    Py_VISIT(program->missing);
    Py_VISIT(program->text);
    Py_VISIT(program->plain);
    return program->root == NULL ? 0 : visited(program->root, visit, arg);
}

static int
program_clear(PyObject *self)
{
    Program *program = (Program *)self;
    Node *root = program->root;
    program->root = NULL;
    forget(root);
    Py_CLEAR(program->getattr);
    Py_CLEAR(program->getitem);
    Py_CLEAR(program->missing);
    Py_CLEAR(program->text);
    Py_CLEAR(program->plain);
    return 0;
}

static void
program_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    program_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *
program_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *tree, *getattr, *getitem, *missing, *text, *plain;
    int escapes;
    if (!PyArg_ParseTuple(args, "OOOOOO!p", &tree, &getattr, &getitem, &missing, &text,
                          &PyTuple_Type, &plain, &escapes)) {
        return NULL;
    }
    Node *root = parsed(tree, 0, 1);
    Program *made = root == NULL ? NULL : (Program *)PyType_GenericAlloc(type, 0);
    if (made == NULL) {
        forget(root);
        return NULL;
    }
    made->root = root;
    made->getattr = Py_NewRef(getattr);
    made->getitem = Py_NewRef(getitem);
    made->missing = Py_NewRef(missing);
    made->text = Py_NewRef(text);
    made->plain = Py_NewRef(plain);
    made->escapes = escapes;
    return (PyObject *)made;
}

/* 0; -1 where it gave up, with an error set only where that is none for the code to meet again. */
static int
attempted(Run *run)
{
    int failed = PyErr_Occurred() ? -1 : done(run->program->root, run);
    if (failed && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* all but Ctrl-C */
    }
    return failed;
}

static void
let_go(Run *run)
{
    for (int at = 0; at < MOST_LOCALS; at++) {
        Py_XDECREF(run->locals[at]);
    }
}

static PyObject *
program_run(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1]) || !PyList_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "run: expected a dict, a tuple, a list and a number");
        return NULL;
    }
    Run run = {.program = (const Program *)self, .given = args[0], .writers = args[1],
               .pieces = args[2], .most = PyLong_AsSsize_t(args[3]), .clean = 1};
    int failed = attempted(&run);
    let_go(&run);
    if (!failed) {
        return PyBool_FromLong(run.clean);
    }
    if (PyErr_Occurred() || PyList_SetSlice(args[2], 0, PyList_GET_SIZE(args[2]), NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
program_value(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "value: expected a dict and a tuple");
        return NULL;
    }
    PyObject *pieces = PyList_New(0);
    if (pieces == NULL) {
        return NULL;
    }
    Run run = {.program = (const Program *)self, .given = args[0], .writers = args[1],
               .pieces = pieces, .clean = 1};
    int failed = attempted(&run);
    PyObject *value = failed ? NULL : Py_XNewRef(run.locals[0]);
    let_go(&run);
    Py_DECREF(pieces);
    return value != NULL || PyErr_Occurred() ? value : Py_NewRef(Py_NotImplemented);
}

static PyMethodDef program_methods[] = {
    {"run", (PyCFunction)(void (*)(void))program_run, METH_FASTCALL, NULL},
    {"value", (PyCFunction)(void (*)(void))program_value, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_new, program_new},           {Py_tp_dealloc, program_dealloc},
    {Py_tp_traverse, program_traverse}, {Py_tp_clear, program_clear},
    {Py_tp_methods, program_methods},   {0, NULL},
};

static PyType_Spec program_spec = {
    "vero_deliver.speedups._speedups.Program", sizeof(Program), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,   program_slots,
};

PyObject *
program_type(void)
{
    return PyType_FromSpec(&program_spec);
}
