/* A plugin of qemu: how many instructions a program has executed when it asks, and
 * how many of them compute with floating-point numbers or vectors.
 *
 * What of QEMU's plugin interface (version 1) is used is declared here: Debian has no header of it.
 * Counting is exact while one thread works; two may lose a count to each other.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*translated_block)(plugin_id, struct qemu_plugin_tb *);
typedef void (*system_call)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, translated_block);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int add, void *to, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, system_call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

int qemu_plugin_version = 1;

enum { GETPPID = 173 };

static uint64_t all, computing;

/* The top levels of AArch64's encoding: bits 25 to 28 say which group an instruction is of. */
static int computes_on_vectors(uint32_t word) { return (word & 0x0e000000) == 0x0e000000; }

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    size_t count = qemu_plugin_tb_n_insns(block), vectors = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = *(const uint32_t *)qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i));
        vectors += computes_on_vectors(word);
    }
    qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &all, count);
    qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &computing, vectors);
}

/* The program marks a place by asking for its parent, which nothing else of it does. */
static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    if (number != GETPPID)
        return;
    fprintf(stderr, "instructions %" PRIu64 " vector %" PRIu64 "\n", all, computing);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
