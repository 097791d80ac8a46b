//! ui
use yew as _;
