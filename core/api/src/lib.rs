//! HTTP contract of the control plane.
