/* When files changed: looked at for every recipient, so that an edited template is seen at once. */

#include "speedups.h"

#include <sys/stat.h>
#include <sys/types.h>

#ifdef _WIN32
/* Its stat tells whole seconds: os.stat serves there. */
#define HAS_NANOSECONDS 0
#define NANOSECONDS(found) 0
#elif defined(__APPLE__)
#define HAS_NANOSECONDS 1
#define NANOSECONDS(found) ((found).st_mtimespec.tv_nsec)
#else
#define HAS_NANOSECONDS 1
#define NANOSECONDS(found) ((found).st_mtim.tv_nsec)
#endif

PyObject *
modified(PyObject *Py_UNUSED(module), PyObject *path)
{
    PyObject *encoded;
    if (!HAS_NANOSECONDS) {
        Py_RETURN_NONE;
    }
    if (!PyUnicode_FSConverter(path, &encoded)) {
        return NULL;
    }
    const char *name = PyBytes_AsString(encoded);
    struct stat found;
    int gone;
    Py_BEGIN_ALLOW_THREADS
    gone = stat(name, &found);
    Py_END_ALLOW_THREADS
    Py_DECREF(encoded);
    if (gone) {
        return PyLong_FromLong(0);
    }
    return PyLong_FromLongLong((long long)found.st_mtime * 1000000000 + NANOSECONDS(found));
}
