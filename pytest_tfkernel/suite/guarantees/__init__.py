"""The judges, in the order in which they are reported."""

from pytest_tfkernel.suite.guarantees.base import Guarantee
from pytest_tfkernel.suite.guarantees.configuration import configuration_is_per_process
from pytest_tfkernel.suite.guarantees.death import (
    death_is_explained,
    process_is_new,
    script_dies_of_error,
    session_is_rebuilt,
    variable_is_reset,
)
from pytest_tfkernel.suite.guarantees.eager import eager_needs_graph
from pytest_tfkernel.suite.guarantees.gpus import gpu_is_usable_again, no_cuda_context
from pytest_tfkernel.suite.guarantees.hosts import hosts_agree
from pytest_tfkernel.suite.guarantees.interrupts import import_is_repeatable, interrupt_is_heard
from pytest_tfkernel.suite.guarantees.leaks import audit_is_trusted, nothing_is_left
from pytest_tfkernel.suite.guarantees.life import (
    error_is_not_death,
    graph_add,
    starts_blank,
    state_lives_with_process,
    variable_assign,
)
from pytest_tfkernel.suite.guarantees.neighbours import names_are_private, neighbour_is_unharmed
from pytest_tfkernel.suite.guarantees.old_state import old_state_is_refused
from pytest_tfkernel.suite.guarantees.products import gpu_matmul
from pytest_tfkernel.suite.guarantees.randomness import random_state_is_fresh
from pytest_tfkernel.suite.guarantees.restarts import (
    busy_kernel_shuts_down,
    each_death_is_restarted,
    hosted_import_is_repeatable,
    restart_keeps_its_frontends,
    restart_limit_is_kept,
    struck_restart_is_restarted,
    struck_start_is_restarted,
)
from pytest_tfkernel.suite.guarantees.runner_death import runner_death_leaves_nothing
from pytest_tfkernel.suite.guarantees.state import (
    checkpoint_outlives,
    live_fork_is_unusable,
    server_state_outlives_client,
)
from pytest_tfkernel.suite.guarantees.warmth import warm_equals_cold

GUARANTEES: tuple[Guarantee, ...] = (
    starts_blank,
    graph_add,
    variable_assign,
    gpu_matmul,
    state_lives_with_process,
    error_is_not_death,
    script_dies_of_error,
    death_is_explained,
    process_is_new,
    session_is_rebuilt,
    variable_is_reset,
    nothing_is_left,
    runner_death_leaves_nothing,
    eager_needs_graph,
    old_state_is_refused,
    neighbour_is_unharmed,
    names_are_private,
    configuration_is_per_process,
    random_state_is_fresh,
    checkpoint_outlives,
    server_state_outlives_client,
    live_fork_is_unusable,
    interrupt_is_heard,
    import_is_repeatable,
    warm_equals_cold,
    hosts_agree,
    each_death_is_restarted,
    restart_limit_is_kept,
    struck_start_is_restarted,
    struck_restart_is_restarted,
    restart_keeps_its_frontends,
    busy_kernel_shuts_down,
    hosted_import_is_repeatable,
    no_cuda_context,
    gpu_is_usable_again,
    audit_is_trusted,
)

__all__ = ["GUARANTEES", "Guarantee"]
