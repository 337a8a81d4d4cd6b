/* Streams and events. What a stream is given is done before the call returns, so all of it is in order, and past. */
#include "cuda.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { IS_NOT_CAPTURING = 0 };

struct stream {
    struct visible *owner;
    int priority;
    unsigned flags;
};

bool is_broken, is_spinning;

int wait_for_work(void) {
    while (is_spinning)
        pause();
    return is_broken ? ILLEGAL_ADDRESS : OK;
}

API int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) {
    BEGIN_CONTEXT;
    struct stream *made = malloc(sizeof *made);
    if (!made)
        return OUT_OF_MEMORY;
    *made = (struct stream){current, priority, flags};
    *stream = made;
    return OK;
}

API int cuStreamCreate(void **stream, unsigned flags) {
    return cuStreamCreateWithPriority(stream, flags, 0);
}

API int cuStreamDestroy_v2(void *stream) {
    BEGIN(true);
    return stream ? OK : INVALID_HANDLE;
}

API int cuStreamGetCtx(void *stream, void **context) {
    BEGIN_CONTEXT;
    *context = stream ? ((struct stream *)stream)->owner : current;
    return OK;
}

API int cuStreamGetPriority(void *stream, int *priority) {
    BEGIN_CONTEXT;
    *priority = stream ? ((struct stream *)stream)->priority : 0;
    return OK;
}

API int cuStreamIsCapturing(void *stream, int *status) {
    BEGIN_CONTEXT;
    (void)stream;
    *status = IS_NOT_CAPTURING;
    return OK;
}

API int cuStreamGetCaptureInfo_v2(void *stream, int *status) {
    return cuStreamIsCapturing(stream, status);
}

API int cuStreamSynchronize(void *stream) {
    (void)stream;
    {
        BEGIN_CONTEXT;
    }
    return wait_for_work();
}

API int cuStreamQuery(void *stream) {
    BEGIN_CONTEXT;
    (void)stream;
    return is_spinning ? NOT_READY : OK;
}

API int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
    BEGIN_CONTEXT;
    (void)stream, (void)event, (void)flags;
    return OK;
}

/* Not in our turn: such a function may well call us. */
API int cuLaunchHostFunc(void *stream, void (*function)(void *), void *data) {
    int done = cuStreamSynchronize(stream);
    if (!done)
        function(data);
    return done;
}

API int cuStreamAddCallback(void *stream, void (*function)(void *, int, void *), void *data, unsigned flags) {
    (void)flags;
    int done = cuStreamSynchronize(stream);
    if (!done)
        function(stream, OK, data);
    return done;
}

API int cuEventCreate(void **event, unsigned flags) {
    BEGIN_CONTEXT;
    (void)flags;
    *event = malloc(1);
    return *event ? OK : OUT_OF_MEMORY;
}

API int cuEventDestroy_v2(void *event) {
    BEGIN(true);
    free(event);
    return OK;
}

API int cuEventRecord(void *event, void *stream) {
    BEGIN_CONTEXT;
    (void)event, (void)stream;
    return OK;
}

API int cuEventQuery(void *event) {
    return cuStreamQuery(event);
}

API int cuEventSynchronize(void *event) {
    return cuStreamSynchronize(event);
}
